import type { ScopedEntityManager } from './scoped-entity-manager.ts'

/**
 * Does the work wholly or not at all, in memory too: it begins with an empty identity map, and its entities reach the caller's when it is
 * done. What waits to be written is written before, because a refusal takes back all that was written inside.
 */
export async function wholly<T>(em: ScopedEntityManager, work: (em: ScopedEntityManager) => Promise<T>): Promise<T> {
  await em.flush()
  return em.transactional(work, { clear: true })
}
