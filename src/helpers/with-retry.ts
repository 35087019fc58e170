import { setTimeout as sleep } from 'node:timers/promises'
import { isConflict, isLockRefused, isLostConnection, OutcomeUnknownError } from '../orm/index.ts'

const longestMs = 30_000

/**
 * Does the work again, up to so many times after the first (with 3 it is called four times at most), when it lost against somebody else (40001,
 * 40P01), waited for a lock in vain (55P03) or lost its connection; any other failure is final. A commit whose answer never came is never
 * repeated: it may have happened. The work begins from nothing each time, so it takes its EntityManager inside:
 * `withRetry(() => daybook.transact(scope, …))`.
 */
export async function withRetry<T>(work: () => Promise<T>, retries = 3, delayMs = 1_000): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= retries || !isPassing(error)) throw error
      // Twice as long each time, and never two at the same moment.
      await sleep(Math.min(delayMs * 2 ** attempt, longestMs) * (0.5 + Math.random() / 2))
    }
  }
}

/** Nothing was written, and it may go better next time. */
function isPassing(error: unknown): boolean {
  if (causesOf(error).some(cause => cause instanceof OutcomeUnknownError)) return false
  return isConflict(error) || isLockRefused(error) || isLostConnection(error)
}

function causesOf(error: unknown): unknown[] {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : [error]
}
