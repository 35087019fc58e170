import { LockMode } from '@mikro-orm/core'
import { tell } from '../../audit/index.ts'
import { messageOf } from '../../kernel/error.ts'
import { allLockedAfresh, type ScopedEntityManager, wholly } from '../../orm/index.ts'
import { lockEvent } from './change-event.ts'
import { EventReminder, type ReminderChannel } from './event-reminder.entity.ts'
import type { SchedulingEvent } from './scheduling-event.entity.ts'
import { EventClosedError } from './scheduling.errors.ts'

/** Has people told of an event, so many minutes before it begins. */
export function remind(
  em: ScopedEntityManager,
  event: SchedulingEvent,
  minutesBefore: number,
  channel: ReminderChannel,
): Promise<EventReminder> {
  return wholly(em, async inner => {
    const current = await lockEvent(inner, event)
    if (!current.isOpen()) throw new EventClosedError(current.status)
    const remindAt = new Date(current.startsAt.getTime() - minutesBefore * 60_000)
    return inner.create(EventReminder, { event: current, remindAt, dueAt: remindAt, channel })
  })
}

/** Delivers a reminder, or fails. What it writes with the EntityManager it is given goes with its failure. */
export type SendReminder = (em: ScopedEntityManager, reminder: EventReminder) => Promise<void>

/** Where nothing delivers, the log says what was due, and a follower of the log can. */
const tellLog: SendReminder = (em, reminder) => {
  const { tenantId, channel, event } = reminder
  return tell(em, { type: 'reminder.sent', log: tenantId, about: reminder, details: { channel, event: event.id } })
}

/**
 * Sends what is due, the longest due first; how many were tried. Any number may run at once, and each reminder is sent by one of them. Only
 * if the process dies between the sending and its commit is one sent again: better twice than never.
 */
export async function sendReminders(em: ScopedEntityManager, at: Date, send: SendReminder = tellLog, limit = 50): Promise<number> {
  const due = await allLockedAfresh(em, EventReminder, dueBy(at), {
    orderBy: { dueAt: 'asc', id: 'asc' },
    limit,
    lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE,
  })
  for (const reminder of due) {
    try {
      await wholly(em, inner => send(inner, reminder))
      reminder.sent(at)
    } catch (error) {
      reminder.failed(at, messageOf(error))
    }
  }
  return due.length
}

export function countDueReminders(em: ScopedEntityManager, at: Date, tenantId?: string): Promise<number> {
  return em.count(EventReminder, { ...dueBy(at), ...(tenantId && { tenantId }) })
}

const dueBy = (at: Date) => ({ status: 'PENDING' as const, dueAt: { $lte: at } })
