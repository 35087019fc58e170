import { type Daybook, unsentOf } from '../orm/index.ts'
import { operatorOf } from './operator.ts'

const atWork = new WeakMap<Daybook, Set<string>>()

/**
 * Does the work unless another process does it already; undefined then. An advisory lock in a transaction that stays open without a snapshot,
 * so it holds behind a pooler, keeps no row alive, and goes when the process does. It goes with its connection too, and then `lost` says that
 * somebody else may be at it. An embedded database has one process.
 */
export async function asLeader<T>(daybook: Daybook, job: string, work: (lost?: AbortSignal) => Promise<T>): Promise<T | undefined> {
  const mine = atWork.get(daybook) ?? new Set()
  atWork.set(daybook, mine)
  if (mine.has(job)) return undefined
  mine.add(job)
  try {
    if (daybook.embedded) return await work()
    const em = await daybook.operatorScope(operatorOf(job))
    em.silence()
    let done: T | undefined
    const leading = em.transactional(async held => {
      await held.execute(`set local idle_in_transaction_session_timeout = 0`)
      const [row] = await held.execute<{ granted: boolean }[]>(
        `select pg_try_advisory_xact_lock(hashtextextended('daybook job ' || ?, 0)) as granted`,
        [job],
      )
      const { lost } = await unsentOf(held.getTransactionContext<object>()!)
      if (row!.granted) done = await work(lost)
    })
    // It wrote nothing itself, so what was done is done however its transaction ends.
    await leading.catch((error: unknown) => {
      if (done === undefined) throw error
    })
    return done
  } finally {
    mine.delete(job)
  }
}
