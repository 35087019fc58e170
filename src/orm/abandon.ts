import { CompiledQuery, type Transaction } from 'kysely'
import { OutcomeUnknownError, TransactionAbandonedError } from './orm.errors.ts'
import type { ScopedEntityManager } from './scoped-entity-manager.ts'
import type { TransactionClient } from './transaction-client.ts'
import { clientQuestion } from './unsent.ts'

type Options = Parameters<ScopedEntityManager['transactional']>[1]

/**
 * A transaction that ends without a trace when the signal comes before its commit has been sent: on a server its running statement is
 * stopped; the embedded database can't be, so there it ends after what it was doing.
 */
export async function transactUntil<T>(
  signal: AbortSignal,
  em: ScopedEntityManager,
  work: (em: ScopedEntityManager) => Promise<T>,
  options: Options & { readonly embedded: boolean },
): Promise<T> {
  const { embedded, ...rest } = options
  const refuseAborted = () => {
    if (signal.aborted) throw new TransactionAbandonedError()
  }
  let stop: (() => void) | undefined
  const onAbort = () => stop?.()
  signal.addEventListener('abort', onAbort)
  try {
    refuseAborted()
    return await em.transactional(async inner => {
      if (!embedded) stop = await stopFor(inner)
      refuseAborted()
      const result = await work(inner)
      refuseAborted()
      return result
    }, rest)
  } catch (error) {
    throw signal.aborted && !(error instanceof OutcomeUnknownError) ? new TransactionAbandonedError({ cause: error }) : error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

async function stopFor(em: ScopedEntityManager): Promise<() => void> {
  const transaction = em.getTransactionContext<Transaction<unknown>>()!
  const { rows } = await transaction.executeQuery<TransactionClient>(CompiledQuery.raw(clientQuestion))
  const client = rows[0]!
  const { unsent } = client
  return () => client.abandon(unsent)
}
