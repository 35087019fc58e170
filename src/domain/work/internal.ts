/** What the rest of Daybook needs of this area, and no application. */
export { countOverdueApprovals } from './approvals.ts'
