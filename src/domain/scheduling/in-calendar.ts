import { DriverException } from '@mikro-orm/core'
import { type ScopedEntityManager, wholly } from '../../orm/index.ts'
import { overlapConstraint } from './scheduling-event.entity.ts'
import { OverlapError } from './scheduling.errors.ts'

/**
 * Writes into one person's calendar, wholly. The constraint decides whether events overlap. Writers of one calendar take turns, so that
 * what one of them has seen there still holds when it writes, and no two wait for each other's events.
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
