import { setTimeout as sleep } from 'node:timers/promises'
import type { Daybook } from '../orm/index.ts'
import type { Job } from './job.ts'
import { type JobReport, runJob } from './run-job.ts'

export interface JobsOptions {
  readonly onReport?: (report: JobReport) => void
  /** A run that could not even be recorded: the database is away, for instance. */
  readonly onError: (error: unknown, job: Job) => void
}

/** Runs each job every so often, until it is disposed of; several processes may do so, and one of them does each job. */
export function startJobs(daybook: Daybook, jobs: readonly Job[], { onReport, onError }: JobsOptions): AsyncDisposable {
  const stop = new AbortController()
  const { signal } = stop
  const loops = jobs.map(async job => {
    // Not all at once, and not every process at the same moment.
    let waitMs = Math.random() * Math.min(job.everyMs, 5_000)
    while (await slept(waitMs, signal)) {
      await runJob(daybook, job, { signal }).then(onReport, (error: unknown) => onError(error, job))
      waitMs = job.everyMs * (0.95 + Math.random() / 10)
    }
  })
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all(loops)
    },
  }
}

function slept(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal, ref: false }).catch(() => false)
}
