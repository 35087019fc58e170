import { LockMode } from '@mikro-orm/core'
import { now } from '../../kernel/clock.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { CalendarConnection } from './calendar-connection.entity.ts'
import { moveReminders } from './change-event.ts'
import { requireActive } from './connections.ts'
import { inCalendar } from './in-calendar.ts'
import { detailsOf, type EventDetails } from './schedule-event.ts'
import { liveStatuses, type Period, SchedulingEvent } from './scheduling-event.entity.ts'

export interface ImportedEvent extends EventDetails {
  /** What the provider calls it. The same one that comes again changes the event that is there. */
  readonly externalId: string
}

/**
 * Takes over an event from the calendar of whoever the connection belongs to. It was made elsewhere, so it can't be refused here: one that
 * overlaps another is a conflict. What was cancelled or completed here stays so.
 */
export async function importEvent(
  em: ScopedEntityManager,
  connection: CalendarConnection,
  input: ImportedEvent,
  at: Date = now(),
): Promise<SchedulingEvent> {
  requireActive(connection)
  const { externalId, ...details } = input
  const row = detailsOf(details)
  const { user } = connection
  const { id } = await inCalendar(em, user.id, async inner => {
    const known = await inner.findOne(
      SchedulingEvent,
      { connection: connection.id, externalId },
      { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true },
    )
    const overlaps = await overlapsAnother(inner, user.id, row, known?.id)
    if (known) return update(inner, known, row, overlaps, at)
    const source = { connection: inner.getReference(CalendarConnection, connection.id), externalId }
    return inner.create(SchedulingEvent, {
      ...row,
      ...source,
      organizer: inner.getReference(User, user.id),
      status: overlaps ? 'CONFLICT' : 'SCHEDULED',
    })
  })
  return em.findOneOrFail(SchedulingEvent, id)
}

async function update(
  em: ScopedEntityManager,
  event: SchedulingEvent,
  row: ReturnType<typeof detailsOf>,
  overlaps: boolean,
  at: Date,
): Promise<SchedulingEvent> {
  if (!event.isOpen()) return event
  const { startsAt, endsAt, ...rest } = row
  await moveReminders(em, event, startsAt, at)
  const isElsewhen = event.startsAt.getTime() !== startsAt.getTime() || event.endsAt.getTime() !== endsAt.getTime()
  if (isElsewhen || (event.status === 'CONFLICT' && !overlaps)) event.move({ startsAt, endsAt })
  if (overlaps && event.status !== 'CONFLICT') event.conflict()
  return Object.assign(event, rest)
}

async function overlapsAnother(em: ScopedEntityManager, organizer: string, { startsAt, endsAt }: Period, self?: string): Promise<boolean> {
  const there = { organizer, status: { $in: [...liveStatuses] }, startsAt: { $lt: endsAt }, endsAt: { $gt: startsAt } }
  return (await em.count(SchedulingEvent, { ...there, ...(self && { id: { $ne: self } }) })) > 0
}
