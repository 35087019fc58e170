import type { ScopedEntityManager } from '../../orm/index.ts'
import { CallInsideTransactionError } from './documents.errors.ts'

/** For what calls elsewhere between its transactions: it can't have any if it is inside of one. */
export function requireOutside(em: ScopedEntityManager, what: string): void {
  if (em.isInTransaction()) throw new CallInsideTransactionError(what)
}
