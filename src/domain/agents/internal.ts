/** What the rest of Daybook needs of this area, and no application. */
export { decisionBehind, rejectUnapproved } from './execute-decision.ts'
