import { now } from '../../kernel/clock.ts'
import { allLockedAfresh, inTurn, lockedAfresh, type ScopedEntityManager } from '../../orm/index.ts'
import { CampaignEnrollment, type StopReason } from './campaign-enrollment.entity.ts'
import type { MessageStatus } from './message-words.ts'
import { Message } from './message.entity.ts'
import { Prospect } from './prospect.entity.ts'

/** What a provider tells of a message: each may come late, twice and out of order. Returns the message as it is then. */
export function recordSent(em: ScopedEntityManager, message: Message, at: Date = now()): Promise<Message> {
  return record(em, message, 'SENT', at, (inner, told) =>
    withProspect(inner, told, prospect => {
      if (prospect.status === 'NEW' || prospect.status === 'QUALIFIED') prospect.contact()
    }),
  )
}

export function recordDelivered(em: ScopedEntityManager, message: Message, at: Date = now()): Promise<Message> {
  return record(em, message, 'DELIVERED', at)
}

export function recordOpened(em: ScopedEntityManager, message: Message, at: Date = now()): Promise<Message> {
  return record(em, message, 'OPENED', at)
}

/** Whoever replies gets no further message of the campaign, and is engaged. `body` keeps what they wrote, the first time. */
export function recordReply(em: ScopedEntityManager, message: Message, at: Date = now(), body?: string): Promise<Message> {
  return record(em, message, 'REPLIED', at, async (inner, told) => {
    await stop(inner, told, 'REPLIED', at)
    const { channel, campaign = null, prospect = null } = told
    const inbound = { channel, campaign, prospect, direction: 'INBOUND', status: 'DELIVERED', sentAt: at } as const
    if (body !== undefined) inner.create(Message, { ...inbound, body })
    await withProspect(inner, told, each => {
      if (each.status === 'NEW' || each.status === 'QUALIFIED' || each.status === 'CONTACTED') each.engage()
    })
  })
}

export function recordBounce(em: ScopedEntityManager, message: Message, at: Date = now()): Promise<Message> {
  return record(em, message, 'BOUNCED', at, (inner, told) => stop(inner, told, 'BOUNCED', at))
}

export function recordFailure(em: ScopedEntityManager, message: Message, at: Date = now()): Promise<Message> {
  return record(em, message, 'FAILED', at)
}

/** Locks in the same order as whoever advances a campaign: the message, the enrolment, the prospect. `follow` hears only of what is news. */
function record(
  em: ScopedEntityManager,
  { id }: Message,
  status: MessageStatus,
  at: Date,
  follow?: (em: ScopedEntityManager, message: Message) => Promise<void>,
): Promise<Message> {
  return inTurn(em, async inner => {
    const message = await lockedAfresh(inner, Message, id)
    if (message.tell(status, at)) await follow?.(inner, message)
    return message
  })
}

async function stop(em: ScopedEntityManager, { campaign, prospect }: Message, reason: StopReason, at: Date): Promise<void> {
  if (!campaign || !prospect) return
  const [enrollment] = await allLockedAfresh(em, CampaignEnrollment, { campaign, prospect })
  enrollment?.stop(reason, at)
}

async function withProspect(em: ScopedEntityManager, message: Message, work: (prospect: Prospect) => void): Promise<void> {
  if (!message.prospect) return
  for (const prospect of await allLockedAfresh(em, Prospect, { id: message.prospect.id })) work(prospect)
}
