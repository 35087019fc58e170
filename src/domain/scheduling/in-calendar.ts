import { DriverException } from '@mikro-orm/core'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { overlapConstraint } from './scheduling-event.entity.ts'
import { OverlapError } from './scheduling.errors.ts'

/**
 * Does the work whole or not at all. What waits to be written is written before: a refusal takes back all that was written inside, and a row
 * that is locked is read anew.
 */
export async function wholly<T>(em: ScopedEntityManager, work: (em: ScopedEntityManager) => Promise<T>): Promise<T> {
  await em.flush()
  return em.transactional(work)
}

/**
 * Writes into one person's calendar, wholly. The constraint decides whether events overlap; whoever
 * writes into the same calendar takes turns only because two that wait for each other's events would be a deadlock.
 */
export async function inCalendar<T>(em: ScopedEntityManager, organizer: string, work: (em: ScopedEntityManager) => Promise<T>): Promise<T> {
  try {
    return await wholly(em, async inner => {
      await inner.execute(
        `select pg_advisory_xact_lock(hashtextextended('daybook:calendar:' || current_setting('daybook.tenant_id') || ?, 0))`,
        [organizer],
      )
      return work(inner)
    })
  } catch (error) {
    if (error instanceof DriverException && error.message.includes(overlapConstraint)) throw new OverlapError(organizer, { cause: error })
    throw error
  }
}
