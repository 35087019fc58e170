import { OutcomeUnknownError, TransactionAbandonedError } from './orm.errors.ts'
import type { ScopedEntityManager } from './scoped-entity-manager.ts'
import { unsentOf } from './unsent.ts'

type Options = Parameters<ScopedEntityManager['transactAlone']>[1]

/**
 * A transaction that ends without a trace when the signal comes before its commit has been sent: on a server its running statement is
 * stopped; the embedded database can't be, so there it ends after what it was doing.
 */
export async function transactUntil<T>(signal: AbortSignal, em: ScopedEntityManager, work: () => Promise<T>, options: Options): Promise<T> {
  const refuseAborted = () => {
    if (signal.aborted) throw new TransactionAbandonedError()
  }
  let stop: (() => void) | undefined
  const onAbort = () => stop?.()
  signal.addEventListener('abort', onAbort)
  try {
    refuseAborted()
    return await em.transactAlone(async () => {
      ;({ stop } = await unsentOf(em.getTransactionContext<object>()!))
      refuseAborted()
      const result = await work()
      refuseAborted()
      return result
    }, options)
  } catch (error) {
    throw signal.aborted && !(error instanceof OutcomeUnknownError) ? new TransactionAbandonedError({ cause: error }) : error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
