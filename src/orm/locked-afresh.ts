import { type EntityName, type FilterQuery, type FindOptions, LockMode, ValidationError } from '@mikro-orm/core'
import type { ScopedEntityManager } from './scoped-entity-manager.ts'

type Locking = LockMode.PESSIMISTIC_READ | LockMode.PESSIMISTIC_WRITE | LockMode.PESSIMISTIC_PARTIAL_WRITE

/**
 * A service's own transaction, for one that reads anew what its caller may have changed. What waits to be written is written first, so that it
 * is neither lost nor overlooked: where no transaction is open in the same one, so that it stands or falls with the service's work.
 */
export function inTurn<T>(em: ScopedEntityManager, work: (em: ScopedEntityManager) => Promise<T>): Promise<T> {
  return em.transactional(async inner => {
    await writeWaiting(inner)
    return work(inner)
  })
}

/**
 * Locks a row, and reads what it is by now, which may be something else than when it was loaded. Reading it anew takes the place of what was
 * changed of it here, so that is written before; where somebody else has changed it meanwhile, this refuses.
 */
export async function lockedAfresh<T extends object>(
  em: ScopedEntityManager,
  entity: EntityName<T>,
  id: FilterQuery<NoInfer<T>> & string,
  lockMode: Locking = LockMode.PESSIMISTIC_WRITE,
): Promise<T> {
  await writeInTransaction(em)
  return em.findOneOrFail(entity, id, { lockMode, refresh: true })
}

/** The same for each row that matches. */
export async function allLockedAfresh<T extends object>(
  em: ScopedEntityManager,
  entity: EntityName<T>,
  where: FilterQuery<NoInfer<T>>,
  options: Pick<FindOptions<T>, 'filters' | 'limit' | 'orderBy'> & { readonly lockMode?: Locking } = {},
): Promise<T[]> {
  await writeInTransaction(em)
  return em.find(entity, where, { lockMode: LockMode.PESSIMISTIC_WRITE, ...options, refresh: true })
}

/** Outside of a transaction there is no lock, and what was written for it would stay. */
async function writeInTransaction(em: ScopedEntityManager): Promise<void> {
  if (!em.isInTransaction()) throw ValidationError.transactionRequired()
  await writeWaiting(em)
}

/** A hook in the middle of a flush has nothing to write: that is just being done. */
async function writeWaiting(em: ScopedEntityManager): Promise<void> {
  if (!em.isFlushing) await em.flush()
}
