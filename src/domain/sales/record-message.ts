import { now } from '../../kernel/clock.ts'
import { allLockedAfresh, inTurn, lockedAfresh, type ScopedEntityManager } from '../../orm/index.ts'
import { CampaignEnrollment } from './campaign-enrollment.entity.ts'
import type { MessageStatus } from './message-words.ts'
import { Message } from './message.entity.ts'
import { Prospect } from './prospect.entity.ts'

/** What a provider tells of a message: each may come late, twice and out of order. Returns the message as it is then. */
export function recordSent(em: ScopedEntityManager, message: Message, at: Date = now()): Promise<Message> {
  return record(em, message, 'SENT', at, {
    prospect(prospect) {
      if (prospect.status === 'NEW' || prospect.status === 'QUALIFIED') prospect.contact()
    },
  })
}

export function recordDelivered(em: ScopedEntityManager, message: Message, at: Date = now()): Promise<Message> {
  return record(em, message, 'DELIVERED', at)
}

export function recordOpened(em: ScopedEntityManager, message: Message, at: Date = now()): Promise<Message> {
  return record(em, message, 'OPENED', at)
}

/** Whoever replies gets no further message of the campaign, and is engaged. `body` keeps what they wrote, the first time. */
export function recordReply(em: ScopedEntityManager, message: Message, at: Date = now(), body?: string): Promise<Message> {
  return record(em, message, 'REPLIED', at, {
    message({ channel, campaign = null, prospect = null }, inner) {
      const inbound = { channel, campaign, prospect, direction: 'INBOUND', status: 'DELIVERED', sentAt: at } as const
      if (body !== undefined) inner.create(Message, { ...inbound, body })
    },
    enrollment: enrollment => enrollment.stop('REPLIED', at),
    prospect(prospect) {
      if (prospect.status === 'NEW' || prospect.status === 'QUALIFIED' || prospect.status === 'CONTACTED') prospect.engage()
    },
  })
}

export function recordBounce(em: ScopedEntityManager, message: Message, at: Date = now()): Promise<Message> {
  return record(em, message, 'BOUNCED', at, { enrollment: enrollment => enrollment.stop('BOUNCED', at) })
}

export function recordFailure(em: ScopedEntityManager, message: Message, at: Date = now()): Promise<Message> {
  return record(em, message, 'FAILED', at)
}

/** What follows from news of a message, for whom it concerns. */
interface Following {
  readonly message?: (message: Message, em: ScopedEntityManager) => void
  readonly enrollment?: (enrollment: CampaignEnrollment) => void
  readonly prospect?: (prospect: Prospect) => void
}

/**
 * Locks in the same order as whoever advances a campaign: the message, the enrolment, the prospect. All are locked before any is changed, so
 * that everything is written at once.
 */
function record(em: ScopedEntityManager, { id }: Message, status: MessageStatus, at: Date, following: Following = {}): Promise<Message> {
  return inTurn(em, async inner => {
    const message = await lockedAfresh(inner, Message, id)
    const { campaign, prospect } = message
    const isNews = message.wouldBecome(status)
    const enrollments =
      isNews && following.enrollment && campaign && prospect ? await allLockedAfresh(inner, CampaignEnrollment, { campaign, prospect }) : []
    const prospects = isNews && following.prospect && prospect ? await allLockedAfresh(inner, Prospect, { id: prospect.id }) : []
    message.tell(status, at)
    if (isNews) following.message?.(message, inner)
    for (const enrollment of enrollments) following.enrollment?.(enrollment)
    for (const each of prospects) following.prospect?.(each)
    return message
  })
}
