import { setTimeout as sleep } from 'node:timers/promises'
import type { Daybook } from '../orm/index.ts'
import type { Job } from './job.ts'
import { type JobReport, runJob } from './run-job.ts'

export interface JobsOptions {
  readonly onReport?: (report: JobReport) => void
  /** A run that could not even be recorded: the database is away, for instance. */
  readonly onError: (error: unknown, job: Job) => void
}

/**
 * Runs each job every so often, until it is disposed of; several processes may do so, and one of them does each job. In one process they take
 * turns: a leader holds a connection while its work takes another, and leaders alone could hold the whole pool. What calls elsewhere would
 * hold up the others, so it doesn't wait for its turn; there are few such jobs.
 */
export function startJobs(daybook: Daybook, jobs: readonly Job[], { onReport, onError }: JobsOptions): AsyncDisposable {
  const stop = new AbortController()
  const { signal } = stop
  let turn: Promise<void> = Promise.resolve()
  const runOnce = async (job: Job) => {
    if (signal.aborted) return
    try {
      const report = await runJob(daybook, job, { signal })
      onReport?.(report)
    } catch (error) {
      onError(error, job)
    }
  }
  const loops = jobs.map(async job => {
    // Not all at once, and not every process at the same moment.
    let waitMs = Math.random() * Math.min(job.everyMs, 5_000)
    while (await slept(waitMs, signal)) {
      const run = job.outsideForTenant ? runOnce(job) : (turn = turn.then(() => runOnce(job)))
      await run
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
