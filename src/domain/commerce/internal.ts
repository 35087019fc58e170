/** What the rest of Daybook needs of this area, and no application. */
export { countDueIssues } from './deliver-issues.ts'
