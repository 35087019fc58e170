/** What the rest of Daybook needs of this area, and no application. */
export { countQueuedExecutions } from './run-executions.ts'
export { countDueSchedules } from './start-execution.ts'
