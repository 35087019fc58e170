import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { storableText } from '../../kernel/storable.ts'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { type Period, SchedulingEvent } from './scheduling-event.entity.ts'

export const reminderChannels = ['EMAIL', 'SMS', 'CHAT'] as const
export type ReminderChannel = (typeof reminderChannels)[number]

export const reminderStatuses = ['PENDING', 'SENT', 'FAILED'] as const
export type ReminderStatus = (typeof reminderStatuses)[number]

export const reminderTransitions: Transitions<ReminderStatus> = {
  PENDING: ['SENT', 'FAILED'],
  SENT: ['PENDING'],
  FAILED: ['PENDING'],
}

const mostAttempts = 5
const minute = 60_000
const longestError = 500

/** Tells people of an event some time before it begins. */
export class EventReminder extends TenantRow {
  declare event: Ref<SchedulingEvent>
  declare remindAt: Date
  declare channel: ReminderChannel
  declare status: Opt<ReminderStatus>
  /** When it is due: at first the time that was asked for, later the time of the next attempt. */
  declare dueAt: Date
  declare sentAt?: Date | null
  declare error?: string | null
  declare attempts: Opt<number>

  sent(at: Date): void {
    this.become('SENT')
    this.sentAt = at
    this.error = null
    this.attempts++
  }

  /** It is tried again after 1, 5, 25 and 125 minutes, and given up the fifth time. */
  failed(at: Date, error: string): void {
    this.attempts++
    this.error = storableText(error.slice(0, longestError))
    if (this.attempts >= mostAttempts) this.become('FAILED')
    else this.dueAt = new Date(at.getTime() + minute * 5 ** (this.attempts - 1))
  }

  /** What was to be told before the end of the event tells nobody anything after it; what was meant for afterwards does. */
  comesTooLate({ endsAt }: Period, at: Date): boolean {
    return this.remindAt < endsAt && endsAt <= at
  }

  /** The event is over, so that it isn't tried any more. */
  miss(): void {
    this.become('FAILED')
    this.error = 'The event was over before anybody could be reminded of it.'
  }

  /** The event was moved by so much, and whatever failed for the old time is no attempt for the new one. Whoever was told of the old time is told of the new one too, where its time is still to come. */
  follow(shiftMs: number, at: Date): void {
    this.remindAt = new Date(this.remindAt.getTime() + shiftMs)
    if (this.status === 'PENDING' || this.remindAt > at) this.beginAgain()
  }

  private beginAgain(): void {
    if (this.status !== 'PENDING') this.become('PENDING')
    this.dueAt = this.remindAt
    this.sentAt = null
    this.error = null
    this.attempts = 0
  }

  private become(status: ReminderStatus): void {
    this.status = nextState('A reminder', reminderTransitions, this.status, status)
  }
}

export const EventReminderSchema: EntitySchema<EventReminder> = tenantEntity({
  class: EventReminder,
  properties: {
    event: () => p.manyToOne(SchedulingEvent).ref().deleteRule('cascade'),
    remindAt: moment(),
    channel: p.enum(reminderChannels),
    status: p.enum(reminderStatuses).default('PENDING'),
    dueAt: moment(),
    sentAt: moment().nullable(),
    error: p.text().nullable(),
    attempts: p.integer().default(0),
  },
  indexes: [{ properties: ['status', 'dueAt'] }],
  checks: [
    { name: 'event_reminder_sent', expression: `(status = 'SENT') = (sent_at is not null)` },
    { name: 'event_reminder_attempts', expression: `attempts >= 0 and attempts <= ${mostAttempts}` },
  ],
  immutable: ['event', 'channel'],
})
