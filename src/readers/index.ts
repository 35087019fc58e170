/** The read side of the log. */
export { replayProblems } from './replay.ts'
