import { LockMode } from '@mikro-orm/core'
import { openSecret, sealSecret } from '../../audit/index.ts'
import { systemActor } from '../../context/index.ts'
import { now } from '../../kernel/clock.ts'
import { digest, newSecret } from '../../kernel/secret.ts'
import { tenantBytes, tenantOf } from '../../kernel/token-of-tenant.ts'
import { type Daybook, inTurn, type ScopedEntityManager } from '../../orm/index.ts'
import { normalizeEmail } from '../identity/index.ts'
import { assertServedHere, Organization } from '../organizations/index.ts'
import { SubscriptionTokenError } from './commerce.errors.ts'
import { NewsletterSubscriber } from './newsletter-subscriber.entity.ts'

export interface SubscriberInput {
  readonly email: string
  readonly locale?: string
  /** Where it came from: `website`, `fair-2026`. */
  readonly source: string
}

const lifetimeMs = 7 * 24 * 3_600_000
const coolingOffMs = 3_600_000

/**
 * The token to be mailed, which is stored nowhere; asked for again, another one. Nothing for an address that has the newsletter already or
 * has complained about it, or was mailed a token within the last hour, so that nobody fills a stranger's mailbox: whoever asks must be
 * answered the same either way.
 */
export async function subscribeToNewsletter(
  em: ScopedEntityManager,
  input: SubscriberInput,
  at: Date = now(),
): Promise<string | undefined> {
  const email = normalizeEmail(input.email)
  return inTurn(em, async inner => {
    await takeTurns(inner, [email])
    const known = await inner.findOne(NewsletterSubscriber, { email }, { refresh: true })
    if (known?.status === 'ACTIVE' || known?.status === 'COMPLAINED') return undefined
    if (known && wasAskedSince(known, new Date(at.getTime() - coolingOffMs))) return undefined
    const subscriber = known ?? (await enter(inner, { ...input, email }))
    const token = newToken(subscriber.tenantId)
    subscriber.awaitConfirmation(digest(token), new Date(at.getTime() + lifetimeMs))
    return token
  })
}

/** Each token holds for the same time, so its end tells when it was mailed. */
function wasAskedSince({ confirmBy }: NewsletterSubscriber, since: Date): boolean {
  return confirmBy ? confirmBy.getTime() - lifetimeMs > since.getTime() : false
}

/** Whoever presents the token has read the mail. */
export function confirmSubscription(daybook: Daybook, token: string, at: Date = now()): Promise<NewsletterSubscriber> {
  return withToken(daybook, { token, column: 'confirmationHash', reason: 'subscription confirmed' }, subscriber => {
    if (!subscriber.confirmBy || subscriber.confirmBy <= at) throw new SubscriptionTokenError()
    subscriber.confirm(at)
  })
}

/** In one click, without a session, however old the mail is and however often: what is left already stays left (RFC 8058). */
export function unsubscribe(daybook: Daybook, token: string, at: Date = now()): Promise<NewsletterSubscriber> {
  return withToken(daybook, { token, column: 'unsubscribeHash', reason: 'unsubscribed by link' }, subscriber => {
    if (subscriber.status !== 'UNSUBSCRIBED' && subscriber.status !== 'COMPLAINED') subscriber.unsubscribe(at)
  })
}

/** What each mail carries in its `List-Unsubscribe`. */
export function unsubscribeTokenOf(em: ScopedEntityManager, subscriber: NewsletterSubscriber): Promise<string> {
  return openSecret(em, subscriber, subscriber.unsubscribeToken)
}

export interface ImportReport {
  readonly added: number
  /** Known already, and left as they are: nobody who has left, bounced or complained comes back by a list. */
  readonly known: number
}

/** Takes over addresses whose readers have agreed elsewhere. */
export async function importSubscribers(
  em: ScopedEntityManager,
  inputs: readonly SubscriberInput[],
  at: Date = now(),
): Promise<ImportReport> {
  const wanted = new Map(inputs.map(input => [normalizeEmail(input.email), input]))
  const emails = [...wanted.keys()].toSorted()
  return em.transactional(async inner => {
    await takeTurns(inner, emails)
    const known = await inner.find(NewsletterSubscriber, { email: { $in: emails } }, { fields: ['email'] })
    for (const { email } of known) wanted.delete(email)
    for (const [email, input] of wanted) (await enter(inner, { ...input, email })).confirm(at)
    return { added: wanted.size, known: known.length }
  })
}

async function enter(em: ScopedEntityManager, { email, locale, source }: SubscriberInput): Promise<NewsletterSubscriber> {
  const subscriber = em.create(NewsletterSubscriber, { email, source, ...(locale && { locale }) })
  const token = newToken(subscriber.tenantId)
  subscriber.unsubscribeHash = digest(token)
  subscriber.unsubscribeToken = await sealSecret(em, subscriber, token)
  return subscriber
}

/** Those who enter an address wait for whoever enters it too, in the order of the addresses. */
async function takeTurns(em: ScopedEntityManager, emails: readonly string[]): Promise<void> {
  await em.execute(
    `select pg_advisory_xact_lock(hashtextextended('daybook:subscriber:' || ? || ':' || email, 0))
       from jsonb_array_elements_text(?::jsonb) email`,
    [em.boundScope?.kind === 'tenant' ? em.boundScope.tenantId : '', JSON.stringify(emails)],
  )
}

/** It says whose it is, so that it is looked up in that tenant's scope. */
function newToken(tenantId: string): string {
  return `${tenantBytes(tenantId).toString('base64url')}.${newSecret()}`
}

interface Presented {
  readonly token: string
  /** Where its digest is. */
  readonly column: 'confirmationHash' | 'unsubscribeHash'
  readonly reason: string
}

/** Where data is kept is told to those alone who have a token of there. */
async function withToken(
  daybook: Daybook,
  { token, column, reason }: Presented,
  change: (subscriber: NewsletterSubscriber) => void,
): Promise<NewsletterSubscriber> {
  const bytes = /^([\w-]{22})\.[\w-]{43}$/.exec(token)?.[1]
  if (!bytes) throw new SubscriptionTokenError()
  const tenant = tenantOf(Buffer.from(bytes, 'base64url'))
  return daybook.transact({ tenant, actor: systemActor('newsletter'), reason }, async em => {
    const lockMode = LockMode.PESSIMISTIC_WRITE
    const subscriber = await em.findOne(NewsletterSubscriber, { [column]: digest(token) }, { lockMode })
    if (!subscriber) throw new SubscriptionTokenError()
    if (daybook.region !== undefined) assertServedHere(await em.findOneOrFail(Organization, tenant), daybook.region)
    change(subscriber)
    return subscriber
  })
}
