import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, refused, tenantEntity, TenantRow } from '../../orm/index.ts'

export const subscriberStatuses = ['PENDING', 'ACTIVE', 'UNSUBSCRIBED', 'BOUNCED', 'COMPLAINED'] as const
export type SubscriberStatus = (typeof subscriberStatuses)[number]

/** Whoever has complained is left alone for good: a mail that asks whether they want more would be one more. */
export const subscriberTransitions: Transitions<SubscriberStatus> = {
  PENDING: ['ACTIVE', 'UNSUBSCRIBED', 'BOUNCED', 'COMPLAINED'],
  ACTIVE: ['UNSUBSCRIBED', 'BOUNCED', 'COMPLAINED'],
  UNSUBSCRIBED: ['PENDING', 'COMPLAINED'],
  BOUNCED: ['PENDING', 'UNSUBSCRIBED', 'COMPLAINED'],
  COMPLAINED: [],
}

/** An address that gets the newsletter once whoever reads it has said so. */
export class NewsletterSubscriber extends TenantRow {
  declare email: string
  declare status: Opt<SubscriberStatus>
  declare locale: Opt<string>
  declare source: string
  declare confirmedAt?: Date | null
  declare unsubscribedAt?: Date | null
  declare confirmationHash?: string | null
  declare confirmBy?: Date | null
  /** Every mail has the same token, so it is kept sealed beside the digest by which it is found. */
  declare unsubscribeToken: Opt<string>
  declare unsubscribeHash: Opt<string>
  declare version: Opt<number>

  /** Asks for a confirmation, again too: only the last token counts. */
  awaitConfirmation(confirmationHash: string, confirmBy: Date): void {
    if (this.status !== 'PENDING') this.become('PENDING')
    Object.assign(this, { confirmationHash, confirmBy, confirmedAt: null, unsubscribedAt: null })
  }

  confirm(at: Date): void {
    this.become('ACTIVE')
    this.confirmedAt = at
  }

  unsubscribe(at: Date): void {
    this.become('UNSUBSCRIBED')
    this.unsubscribedAt = at
  }

  bounce(): void {
    this.become('BOUNCED')
  }

  complain(): void {
    this.become('COMPLAINED')
  }

  private become(status: SubscriberStatus): void {
    this.status = nextState('A subscription', subscriberTransitions, this.status, status)
    this.confirmationHash = null
    this.confirmBy = null
  }
}

export const NewsletterSubscriberSchema: EntitySchema<NewsletterSubscriber> = tenantEntity({
  class: NewsletterSubscriber,
  properties: {
    email: p.text(),
    status: p.enum(subscriberStatuses).default('PENDING'),
    locale: p.text().default('en'),
    source: p.text(),
    confirmedAt: moment().nullable(),
    unsubscribedAt: moment().nullable(),
    confirmationHash: p.text().nullable().hidden(),
    confirmBy: moment().nullable(),
    unsubscribeToken: p.text().hidden(),
    unsubscribeHash: p.text().hidden(),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['email'] }, { properties: ['confirmationHash'] }, { properties: ['unsubscribeHash'] }],
  indexes: [{ properties: ['status', 'id'] }],
  checks: [
    { name: 'newsletter_subscriber_email_lower_case', expression: 'email = lower(email)' },
    { name: 'newsletter_subscriber_confirmed', expression: `status <> 'ACTIVE' or confirmed_at is not null` },
    { name: 'newsletter_subscriber_unsubscribed', expression: `status <> 'UNSUBSCRIBED' or unsubscribed_at is not null` },
    {
      name: 'newsletter_subscriber_token',
      expression: `(confirmation_hash is null) = (confirm_by is null) and (status = 'PENDING' or confirmation_hash is null)`,
    },
  ],
  audit: { secret: ['confirmationHash', 'unsubscribeToken', 'unsubscribeHash'], personal: ['email'] },
  immutable: ['email'],
  triggers: [
    refused({
      table: 'newsletter_subscriber',
      name: 'complaint_stays',
      event: 'update',
      when: `old.status = 'COMPLAINED' and new.status <> 'COMPLAINED'`,
      message: 'an address that has complained gets nothing again',
    }),
    // No service does; taking back an event of the log would.
    refused({
      table: 'newsletter_subscriber',
      name: 'leaving_stays',
      event: 'update',
      when: `old.status = 'UNSUBSCRIBED' and new.status = 'ACTIVE'`,
      message: 'whoever has left comes back by asking for it and confirming that',
    }),
  ],
})
