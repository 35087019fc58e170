import { now } from '../../kernel/clock.ts'
import { inTurn, lockedAfresh, type ScopedEntityManager } from '../../orm/index.ts'
import { NewsletterIssue } from './newsletter-issue.entity.ts'
import { NewsletterSubscriber } from './newsletter-subscriber.entity.ts'

/** A newsletter that goes out at a time, which is now or later. */
export function scheduleIssue(issue: NewsletterIssue, scheduledAt: Date, at: Date = now()): void {
  issue.schedule(scheduledAt, at)
}

/**
 * Makes one delivery, for instance a message that waits to be sent, through the EntityManager that it is given: whatever it writes is there
 * together with the issue's position, or not at all.
 */
export type Deliver = (em: ScopedEntityManager, subscriber: NewsletterSubscriber) => Promise<unknown>

export interface Recipients {
  /** The id behind which they begin. */
  readonly after?: string | null
  readonly limit?: number
}

/** Those who get the newsletter, some at a time. */
export function recipientsOf(em: ScopedEntityManager, { after, limit = 100 }: Recipients = {}): Promise<NewsletterSubscriber[]> {
  const behind = after ? { id: { $gt: after } } : {}
  return em.find(NewsletterSubscriber, { status: 'ACTIVE', ...behind }, { orderBy: { id: 'asc' }, limit })
}

/**
 * Delivers an issue that is due, or goes on with one that was stopped, in transactions of `batch` deliveries each: give it an EntityManager
 * outside of one. A delivery that fails stops it behind the last that didn't; one that is paused stops after its batch; two at once take
 * turns.
 */
export async function sendIssue(
  em: ScopedEntityManager,
  { id }: NewsletterIssue,
  deliver: Deliver,
  at: Date = now(),
  batch = 100,
): Promise<NewsletterIssue> {
  for (;;) {
    const { issue, failure, hasMore } = await inTurn(em, inner => sendBatch(inner, id, deliver, at, batch))
    if (failure) throw failure.error
    if (!hasMore) return issue
  }
}

interface SentBatch {
  readonly issue: NewsletterIssue
  readonly hasMore: boolean
  readonly failure?: { readonly error: unknown }
}

async function sendBatch(em: ScopedEntityManager, id: string, deliver: Deliver, at: Date, limit: number): Promise<SentBatch> {
  const issue = await lockedAfresh(em, NewsletterIssue, id)
  if (issue.status === 'PAUSED' || issue.status === 'DONE') return { issue, hasMore: false }
  if (issue.status !== 'RUNNING') issue.start(at)
  const recipients = await recipientsOf(em, { after: issue.position ?? null, limit })
  // What a delivery's savepoint takes back must be its own alone.
  await em.flush()
  const { delivered, failure } = await deliverAll(em, recipients, deliver)
  if (delivered > 0) {
    issue.advance(recipients[delivered - 1]!.id)
    issue.hasReached(issue.stats.delivered + delivered)
  }
  if (failure) return { issue, hasMore: false, failure }
  const hasMore = recipients.length === limit
  if (!hasMore) issue.finish(at)
  return { issue, hasMore }
}

async function deliverAll(
  em: ScopedEntityManager,
  recipients: readonly NewsletterSubscriber[],
  deliver: Deliver,
): Promise<{ delivered: number } & Pick<SentBatch, 'failure'>> {
  for (const [delivered, subscriber] of recipients.entries()) {
    try {
      await em.transactional(inner => deliver(inner, subscriber))
    } catch (error) {
      return { delivered, failure: { error } }
    }
  }
  return { delivered: recipients.length }
}
