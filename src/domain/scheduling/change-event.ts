import { LockMode } from '@mikro-orm/core'
import { now } from '../../kernel/clock.ts'
import { type ScopedEntityManager, wholly } from '../../orm/index.ts'
import { EventReminder } from './event-reminder.entity.ts'
import { inCalendar } from './in-calendar.ts'
import { requirePeriod } from './schedule-event.ts'
import { type Period, SchedulingEvent } from './scheduling-event.entity.ts'

/** Moves an event, which has to be confirmed anew then, and its reminders with it. A conflict ends when it is moved to where it fits. */
export async function rescheduleEvent(em: ScopedEntityManager, event: SchedulingEvent, period: Period, at: Date = now()): Promise<void> {
  requirePeriod(period)
  await inCalendar(em, event.organizer.id, async inner => {
    const current = await lockEvent(inner, event)
    await moveReminders(inner, current, period.startsAt, at)
    current.move(period)
  })
}

export async function cancelEvent(em: ScopedEntityManager, event: SchedulingEvent): Promise<void> {
  await wholly(em, async inner => {
    const current = await lockEvent(inner, event)
    current.cancel()
    await dropReminders(inner, current)
  })
}

/** It is over, or not needed any more because everything was said. */
export async function completeEvent(em: ScopedEntityManager, event: SchedulingEvent): Promise<void> {
  await wholly(em, async inner => {
    const current = await lockEvent(inner, event)
    current.complete()
    await dropReminders(inner, current)
  })
}

/** Reminders keep their distance to the event. */
export async function moveReminders(em: ScopedEntityManager, event: SchedulingEvent, startsAt: Date, at: Date): Promise<void> {
  const shiftMs = startsAt.getTime() - event.startsAt.getTime()
  if (shiftMs === 0) return
  const reminders = await em.find(EventReminder, { event }, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true })
  for (const reminder of reminders) reminder.follow(shiftMs, at)
}

async function dropReminders(em: ScopedEntityManager, event: SchedulingEvent): Promise<void> {
  const waiting = await em.find(EventReminder, { event, status: 'PENDING' }, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true })
  for (const reminder of waiting) em.remove(reminder)
}

/** Events are locked before their reminders, everywhere. */
export function lockEvent(em: ScopedEntityManager, { id }: SchedulingEvent): Promise<SchedulingEvent> {
  return em.findOneOrFail(SchedulingEvent, id, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true })
}
