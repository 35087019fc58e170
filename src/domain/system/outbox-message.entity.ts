import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { AuditEvent } from '../../audit/index.ts'
import { now } from '../../kernel/clock.ts'
import { storableText } from '../../kernel/storable.ts'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'

export const outboxStatuses = ['PENDING', 'SENT', 'DEAD'] as const
export type OutboxStatus = (typeof outboxStatuses)[number]

/** What is dead, and what was sent, goes out again when somebody says so. */
export const outboxTransitions: Transitions<OutboxStatus> = {
  PENDING: ['SENT', 'DEAD'],
  SENT: ['PENDING'],
  DEAD: ['PENDING'],
}

const [second, hour] = [1_000, 3_600_000]
/** With an hour between the later ones, they reach over more than half a day. */
const mostAttempts = 25

/** What a broker is told. One that tells of an event holds no copy of it: what is told is read when it goes out. */
export class OutboxMessage extends TenantRow {
  declare event?: Ref<AuditEvent> | null
  declare topic: string
  /** Messages of a topic with one key go out in the order of their positions. */
  declare key: string
  declare payload?: Readonly<Record<string, unknown>> | null
  declare readonly position: Opt<number>
  declare status: Opt<OutboxStatus>
  /** Nobody takes it before then. */
  declare availableAt: Opt<Date>
  declare attempts: Opt<number>
  /** The claim under which it goes out; what is reported under another comes too late. */
  declare lockedBy?: string | null
  declare publishedAt?: Date | null
  declare error?: string | null

  claim(lockedBy: string, until: Date): void {
    this.lockedBy = lockedBy
    this.availableAt = until
  }

  /** As if it had not been taken. */
  release(at: Date): void {
    Object.assign(this, { lockedBy: null, availableAt: at })
  }

  sent(at: Date): void {
    this.become('SENT')
    this.attempts++
    Object.assign(this, { publishedAt: at, error: null })
  }

  /** Later each time, and not everything at the same moment. `chance` lies between 0 and 1. */
  fail(at: Date, error: string, chance: number): void {
    this.attempts++
    if (this.attempts >= mostAttempts) return this.abandon(error)
    const waitMs = Math.min(second * 2 ** (this.attempts - 1), hour) * (0.5 + chance / 2)
    this.release(new Date(at.getTime() + Math.round(waitMs)))
    this.error = storableText(error.slice(0, 500))
  }

  abandon(error: string): void {
    this.become('DEAD')
    this.error = storableText(error.slice(0, 500))
  }

  /** From the beginning, under the same id. Those of its key that came after it don't wait for it again. */
  redeliver(at: Date): void {
    this.become('PENDING')
    Object.assign(this, { attempts: 0, availableAt: at, publishedAt: null, error: null })
  }

  private become(status: OutboxStatus): void {
    this.status = nextState('A message', outboxTransitions, this.status, status)
    this.lockedBy = null
  }
}

export const OutboxMessageSchema: EntitySchema<OutboxMessage> = tenantEntity({
  class: OutboxMessage,
  properties: {
    // The log is partitioned and outlived by what tells of it, so the guard looks and no constraint holds.
    event: () => p.manyToOne(AuditEvent).ref().nullable().createForeignKeyConstraint(false),
    topic: p.text(),
    key: p.text(),
    payload: p.json<Readonly<Record<string, unknown>>>().nullable(),
    position: p.bigint('number').autoincrement().generated('identity'),
    status: p.enum(outboxStatuses).default('PENDING'),
    availableAt: moment().onCreate(now).defaultRaw('now()'),
    attempts: p.integer().default(0),
    lockedBy: p.text().nullable(),
    publishedAt: moment().nullable(),
    error: p.text().nullable(),
  },
  // The event first: nobody asks for a topic by it, who looks for the next message of a key.
  uniques: [{ properties: ['event', 'topic'] }],
  indexes: [
    { properties: ['status', 'publishedAt'] },
    { properties: ['position'], where: `status = 'PENDING'` },
    { properties: ['topic', 'key', 'position'], where: `status = 'PENDING'` },
  ],
  checks: [
    { name: 'outbox_message_topic', expression: `topic ~ '^[A-Za-z0-9._-]{1,249}$'` },
    { name: 'outbox_message_told', expression: '(event_id is null) <> (payload is null)' },
    { name: 'outbox_message_published', expression: `(status = 'SENT') = (published_at is not null)` },
    { name: 'outbox_message_locked', expression: `locked_by is null or status = 'PENDING'` },
    { name: 'outbox_message_attempts', expression: 'attempts >= 0' },
  ],
  immutable: ['event', 'topic', 'key', 'payload'],
  // It is a record itself, and to tell what was told would never end.
  audit: false,
})
