import { LockMode } from '@mikro-orm/core'
import { allDone } from '../../kernel/all-done.ts'
import { latest, now } from '../../kernel/clock.ts'
import { inTime } from '../../kernel/in-time.ts'
import type { ScopedEntityManager, Transact } from '../../orm/index.ts'
import { NewsletterDelivery } from './newsletter-delivery.entity.ts'
import { NewsletterIssue } from './newsletter-issue.entity.ts'
import type { NewsletterSubscriber } from './newsletter-subscriber.entity.ts'
import { recipientsOf } from './recipients.ts'
import { unsubscribeTokenOf } from './subscribe.ts'

export interface NewsletterMail {
  /** The same each time that it is sent: a provider that knows it again sends it once, though a process died before it could say so. */
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly text: string
  /** `List-Unsubscribe` and `List-Unsubscribe-Post` (RFC 8058). */
  readonly headers: Readonly<Record<string, string>>
}

export interface NewsletterMailer {
  /** Resolves once somebody has taken it; what throws, or takes longer than the signal allows, is tried again later. */
  readonly send: (mail: NewsletterMail, signal: AbortSignal) => Promise<unknown>
}

export interface NewsletterSettings {
  readonly mailer: NewsletterMailer
  /** An https address at which a POST ends the subscription: the host's `/newsletters/unsubscribe?token=…`, for instance. */
  readonly unsubscribeUrl: (token: string) => string
  /** How long the mailer may take for a mail: a minute, unless said otherwise, and never more than five. */
  readonly timeoutMs?: number
}

export interface NewsletterSender extends NewsletterSettings {
  readonly transact: Transact
}

const [queuedAtOnce, sentAtOnce] = [500, 50]
const minute = 60_000
/** Longer than a mailer may take: whoever has taken a mail has it for so long. */
const [longestMs, holdMs] = [5 * minute, 10 * minute]

/**
 * Queues those who get an issue that is due, some at a time, and sends what is queued, some at a time; how much there was to do. Any number of
 * processes may do so, and one may die at any moment: what it had in hand is sent when its time is over, under the same id.
 */
export async function deliverIssues({ transact, ...settings }: NewsletterSender, at: Date): Promise<number> {
  const queued = await transact(em => queueIssue(em, at))
  const { taken, mails } = await transact(em => take(em, settings, at))
  const recorded = mails.map(async ({ attempt, issue: _issue, ...mail }) => {
    const error = await errorOf(settings, mail)
    await transact(em => record(em, mail.id, attempt, error))
  })
  await allDone(recorded)
  if (mails.length > 0) await transact(em => tellIssues(em, mails))
  return queued + taken
}

const isDue = (at: Date) => ({
  $or: [{ status: 'SCHEDULED' as const, scheduledAt: { $lte: at } }, { status: 'RUNNING' as const }],
})

/** What is queued waits while its issue is paused. */
const toSend = (at: Date) => ({
  nextAttemptAt: { $lte: at },
  issue: { status: { $in: ['RUNNING' as const, 'DONE' as const] } },
})

export async function countDueIssues(em: ScopedEntityManager, at: Date, tenantId?: string): Promise<number> {
  const whose = tenantId ? { tenantId } : {}
  return (await em.count(NewsletterIssue, { ...isDue(at), ...whose })) + (await em.count(NewsletterDelivery, { ...toSend(at), ...whose }))
}

/** The next recipients of an issue whom nobody else has in hand. What is queued and how far one got commit together. */
async function queueIssue(em: ScopedEntityManager, at: Date): Promise<number> {
  const lock = { lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE, orderBy: { scheduledAt: 'asc', id: 'asc' } } as const
  const issue = await em.findOne(NewsletterIssue, isDue(at), lock)
  if (!issue) return 0
  if (issue.status === 'SCHEDULED') issue.start(at)
  const recipients = await recipientsOf(em, { after: issue.position ?? null, limit: queuedAtOnce })
  for (const subscriber of recipients) em.create(NewsletterDelivery, { issue, subscriber, nextAttemptAt: at })
  if (recipients.length > 0) issue.advance(recipients.at(-1)!.id)
  if (recipients.length < queuedAtOnce) issue.finish(at)
  return Math.max(recipients.length, 1)
}

interface Taken extends NewsletterMail {
  readonly attempt: number
  readonly issue: string
}

async function take(
  em: ScopedEntityManager,
  { unsubscribeUrl }: Omit<NewsletterSettings, 'mailer'>,
  at: Date,
): Promise<{ taken: number; mails: Taken[] }> {
  const rows = await em.execute<{ id: string }[]>(
    `select d.id from newsletter_delivery d join newsletter_issue i on i.id = d.issue_id
       where d.next_attempt_at <= ? and i.status in ('RUNNING', 'DONE') order by d.next_attempt_at, d.id limit ? for update of d skip locked`,
    [at, sentAtOnce],
  )
  const ids = rows.map(({ id }) => id)
  const deliveries = await em.find(NewsletterDelivery, { id: { $in: ids } }, { populate: ['issue', 'subscriber'], orderBy: { id: 'asc' } })
  const until = new Date(latest(at).getTime() + holdMs)
  const mails = deliveries.map(async delivery => {
    const [issue, subscriber] = [delivery.issue.getEntity(), delivery.subscriber.getEntity()]
    // They may have left since it was queued.
    if (subscriber.status !== 'ACTIVE') return delivery.skip()
    delivery.take(until)
    const url = unsubscribeUrl(await unsubscribeTokenOf(em, subscriber))
    return { ...mailOf(issue, subscriber, url), id: delivery.id, attempt: delivery.attempt, issue: issue.id }
  })
  return { taken: ids.length, mails: (await Promise.all(mails)).filter(mail => mail !== undefined) }
}

const waysOut: Readonly<Record<string, string>> = { en: 'Unsubscribe:', fr: 'Se désabonner\u00a0:' }

function mailOf({ subject, body }: NewsletterIssue, { email, locale }: NewsletterSubscriber, url: string) {
  const wayOut = waysOut[locale.slice(0, 2)] ?? waysOut.en
  return {
    to: email,
    // A line break in it would write headers of its own.
    subject: subject.replaceAll(/\p{Cc}+/gu, ' '),
    text: `${body}\n\n-- \n${wayOut} ${url}\n`,
    headers: { 'List-Unsubscribe': `<${url}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' },
  }
}

async function errorOf({ mailer, timeoutMs = minute }: NewsletterSettings, mail: NewsletterMail): Promise<string | undefined> {
  try {
    await inTime(Math.min(timeoutMs, longestMs), signal => mailer.send(mail, signal))
    return undefined
  } catch (error) {
    // What it says may quote the mail, and the mail holds a token.
    return `The mailer refused it: ${error instanceof Error ? error.name : typeof error}.`
  }
}

async function record(em: ScopedEntityManager, id: string, attempt: number, error: string | undefined): Promise<void> {
  const delivery = await em.findOne(NewsletterDelivery, id, { lockMode: LockMode.PESSIMISTIC_WRITE, populate: [] })
  // Deleted meanwhile with its issue, or held for too long and taken by somebody else.
  if (delivery?.attempt !== attempt || delivery.status !== 'PENDING') return
  if (error === undefined) delivery.arrive(now())
  else delivery.fail(now(), error)
}

/**
 * Once for all that went out together: the log tells of an issue, and not of each mail. A mail that is counted is marked in the same transaction,
 * so each counts once, what a process sent that died before it came here counts the next time, and nobody looks at what was counted already.
 */
async function tellIssues(em: ScopedEntityManager, mails: readonly Taken[]): Promise<void> {
  for (const id of [...new Set(mails.map(({ issue }) => issue))].toSorted()) {
    const issue = await em.findOne(NewsletterIssue, id, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true })
    if (!issue) continue
    const sent = await em.nativeUpdate(NewsletterDelivery, { issue, status: 'SENT', isCounted: false }, { isCounted: true })
    issue.hasReached(sent)
  }
}
