import { type Daybook, OperatorUnavailableError } from '../orm/index.ts'
import type { Job } from './job.ts'
import { type JobSettings, jobsWith } from './jobs.ts'
import { type ReactionsOptions, startReactions } from './react-to-events.ts'
import { type JobsOptions, startJobs } from './start-jobs.ts'

export interface BackgroundOptions extends JobSettings, Omit<ReactionsOptions, 'onError'>, Pick<JobsOptions, 'onReport'> {
  /** Jobs of your own, besides the product's. */
  readonly jobs?: readonly Job[]
  /** What could not even be recorded: the database is away, for instance. `doing` is a job's name, or `reactions`. */
  readonly onError: (error: unknown, doing: string) => void
}

/**
 * All that a running Daybook does by itself, until it is disposed of, which comes before closing the Daybook: its jobs, and what waits for
 * events. Without it nothing is sealed or cleaned up, no webhook is queued and no event starts an automation. Several processes may do so.
 * It works across tenants, so on a server it needs the operator's connection (`daybook.hasOperator`).
 */
export function startBackground(daybook: Daybook, options: BackgroundOptions): AsyncDisposable {
  if (!daybook.hasOperator) throw new OperatorUnavailableError()
  const { jobs = [], onReport, onError, pollMs, outbox, ...settings } = options
  const background = new AsyncDisposableStack()
  background.use(
    startJobs(daybook, [...jobsWith(settings), ...jobs], {
      onError: (error, { name }) => onError(error, name),
      ...(onReport && { onReport }),
    }),
  )
  background.use(
    startReactions(daybook, {
      onError: error => onError(error, 'reactions'),
      ...(pollMs !== undefined && { pollMs }),
      ...(outbox && { outbox }),
    }),
  )
  return background
}
