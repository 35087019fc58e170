import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import type { Transitions } from '../../kernel/transitions.ts'
import { moment, pointerTo, tenantEntity, TenantRow } from '../../orm/index.ts'
import { Campaign } from './campaign.entity.ts'
import { SequenceStep } from './email-sequence.entity.ts'
import {
  type MessageChannel,
  messageChannels,
  type MessageDirection,
  messageDirections,
  type MessageStatus,
  messageStatuses,
} from './message-words.ts'
import { Prospect } from './prospect.entity.ts'

/** What a message may become. Providers leave steps out: a reply is told of a message that was never reported as opened. */
export const messageTransitions: Transitions<MessageStatus> = {
  QUEUED: ['SENT', 'DELIVERED', 'OPENED', 'REPLIED', 'BOUNCED', 'FAILED'],
  SENT: ['DELIVERED', 'OPENED', 'REPLIED', 'BOUNCED', 'FAILED'],
  DELIVERED: ['OPENED', 'REPLIED', 'BOUNCED'],
  OPENED: ['REPLIED'],
  REPLIED: [],
  BOUNCED: [],
  FAILED: [],
}

const moments = { SENT: 'sentAt', OPENED: 'openedAt', REPLIED: 'repliedAt' } as const

/** One message to or from somebody, whose it stays. */
export class Message extends TenantRow {
  declare channel: MessageChannel
  declare direction: Opt<MessageDirection>
  declare campaign?: Ref<Campaign> | null
  declare step?: Ref<SequenceStep> | null
  declare prospect?: Ref<Prospect> | null
  /** Newsletters are another area's, which stands below this one, so this is the plain id. */
  declare newsletterIssueId?: string | null
  declare subject?: string | null
  declare body: string
  declare status: Opt<MessageStatus>
  /** The provider's name for it. */
  declare providerId?: string | null
  declare sentAt?: Date | null
  declare openedAt?: Date | null
  declare repliedAt?: Date | null

  /** Whether it would be news. */
  wouldBecome(status: MessageStatus): boolean {
    return messageTransitions[this.status as MessageStatus].includes(status)
  }

  /**
   * What a provider tells of it; whether that is news. Providers tell late, twice and out of order, which is nobody's mistake: what is late
   * only adds its moment, and what contradicts the end that it came to is left aside.
   */
  tell(status: MessageStatus, at: Date): boolean {
    const isNews = this.wouldBecome(status)
    if (isNews) this.status = status
    const field = moments[status as keyof typeof moments] as (typeof moments)[keyof typeof moments] | undefined
    if (field && this.hasBeen(status)) this[field] ??= at
    return isNews
  }

  private hasBeen(status: MessageStatus): boolean {
    return this.status === status || messageTransitions[status].includes(this.status)
  }
}

export const MessageSchema: EntitySchema<Message> = tenantEntity({
  class: Message,
  properties: {
    channel: p.enum(messageChannels),
    direction: p.enum(messageDirections).default('OUTBOUND'),
    // What was sent stays told, so a campaign or a step of which there are messages can't be deleted.
    campaign: () => p.manyToOne(Campaign).ref().nullable().deleteRule('restrict'),
    step: () => p.manyToOne(SequenceStep).ref().nullable().deleteRule('restrict'),
    // What was said to somebody goes with them.
    prospect: () => p.manyToOne(Prospect).ref().nullable().deleteRule('cascade'),
    newsletterIssueId: () => pointerTo('NewsletterIssue').fieldName('newsletter_issue_id').nullable().deleteRule('set null'),
    subject: p.text().nullable(),
    body: p.text(),
    status: p.enum(messageStatuses).default('QUEUED'),
    providerId: p.text().nullable(),
    sentAt: moment().nullable(),
    openedAt: moment().nullable(),
    repliedAt: moment().nullable(),
  },
  uniques: [{ properties: ['campaign', 'prospect', 'step'] }, { properties: ['providerId'] }],
  indexes: [{ properties: ['prospect', 'status'] }, { properties: ['status', 'createdAt'] }],
  checks: [
    { name: 'message_opened', expression: `status <> 'OPENED' or opened_at is not null` },
    { name: 'message_replied', expression: `(status = 'REPLIED') = (replied_at is not null)` },
    { name: 'message_step_of_campaign', expression: 'step_id is null or campaign_id is not null' },
  ],
  audit: { personal: ['subject', 'body'], person: 'prospect' },
})
