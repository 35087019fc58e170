import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { now } from '../../kernel/clock.ts'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { NewsletterIssue } from './newsletter-issue.entity.ts'
import { NewsletterSubscriber } from './newsletter-subscriber.entity.ts'

/** `SKIPPED`: whoever was to get it wants it no more. */
export const mailStatuses = ['PENDING', 'SENT', 'SKIPPED', 'DEAD'] as const
export type MailStatus = (typeof mailStatuses)[number]

export const mailTransitions: Transitions<MailStatus> = {
  PENDING: ['SENT', 'SKIPPED', 'DEAD'],
  SENT: [],
  SKIPPED: [],
  DEAD: ['PENDING'],
}

const [minute, hour] = [60_000, 3_600_000]
const waits = [minute, 5 * minute, 30 * minute, 2 * hour, 6 * hour, 12 * hour]

/** That one subscriber gets one issue. There is one such row for both, so nobody gets a second. */
export class NewsletterDelivery extends TenantRow {
  declare issue: Ref<NewsletterIssue>
  declare subscriber: Ref<NewsletterSubscriber>
  declare status: Opt<MailStatus>
  declare attempt: Opt<number>
  /** Nobody else takes it before then. */
  declare nextAttemptAt?: Opt<Date> | null
  declare sentAt?: Date | null
  declare error?: string | null
  /** Whether its issue's numbers know that it was sent. */
  declare isCounted: Opt<boolean>

  take(until: Date): void {
    this.attempt++
    this.nextAttemptAt = until
  }

  arrive(at: Date): void {
    this.become('SENT')
    Object.assign(this, { sentAt: at, error: null })
  }

  skip(): void {
    this.become('SKIPPED')
  }

  fail(at: Date, error: string): void {
    const waitMs = waits[this.attempt - 1]
    if (waitMs === undefined) this.become('DEAD')
    else this.nextAttemptAt = new Date(at.getTime() + waitMs)
    this.error = error.slice(0, 500)
  }

  retry(at: Date): void {
    this.become('PENDING')
    Object.assign(this, { attempt: 0, nextAttemptAt: at, error: null })
  }

  private become(status: MailStatus): void {
    this.status = nextState('A delivery of a newsletter', mailTransitions, this.status, status)
    this.nextAttemptAt = null
  }
}

export const NewsletterDeliverySchema: EntitySchema<NewsletterDelivery> = tenantEntity({
  class: NewsletterDelivery,
  properties: {
    issue: () => p.manyToOne(NewsletterIssue).ref().deleteRule('cascade'),
    subscriber: () => p.manyToOne(NewsletterSubscriber).ref().deleteRule('cascade'),
    status: p.enum(mailStatuses).default('PENDING'),
    attempt: p.integer().default(0),
    nextAttemptAt: moment().onCreate(now).nullable(),
    sentAt: moment().nullable(),
    error: p.text().nullable(),
    isCounted: p.boolean().default(false).hidden(),
  },
  uniques: [{ properties: ['issue', 'subscriber'] }],
  indexes: [
    { properties: ['nextAttemptAt'] },
    { properties: ['status', 'updatedAt'] },
    { name: 'newsletter_delivery_uncounted', properties: ['issue'], where: `status = 'SENT' and not is_counted` },
  ],
  checks: [
    { name: 'newsletter_delivery_next', expression: `(status = 'PENDING') = (next_attempt_at is not null)` },
    { name: 'newsletter_delivery_sent', expression: `(status = 'SENT') = (sent_at is not null)` },
    { name: 'newsletter_delivery_counted', expression: `not is_counted or status = 'SENT'` },
    { name: 'newsletter_delivery_attempt', expression: 'attempt >= 0' },
  ],
  immutable: ['issue', 'subscriber'],
  // It is a record itself: the log tells of the issue that goes out, and not of each mail.
  audit: false,
})
