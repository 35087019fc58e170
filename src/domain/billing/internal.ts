/** What the rest of Daybook needs of this area, and no application. */
export { organizationIn } from './billing-events.ts'
export { countDueResets } from './reset-quotas.ts'
