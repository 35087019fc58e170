import { LockMode } from '@mikro-orm/core'
import { AuditEvent, openSecret, sealSecret } from '../../audit/index.ts'
import { now } from '../../kernel/clock.ts'
import { eventPattern } from '../../kernel/event-pattern.ts'
import { requireAddress } from '../../kernel/outgoing.ts'
import { newWebhookSecret } from '../../kernel/standard-webhooks.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { EventPatternError } from './system.errors.ts'
import { WebhookDelivery } from './webhook-delivery.entity.ts'
import { WebhookEndpoint } from './webhook-endpoint.entity.ts'

export interface EndpointInput {
  readonly url: string
  readonly events: string[]
}

export interface NewEndpoint {
  readonly endpoint: WebhookEndpoint
  /** Shown this once; the receiver believes what is signed with it. */
  readonly secret: string
}

export async function createEndpoint(em: ScopedEntityManager, { url, events }: EndpointInput): Promise<NewEndpoint> {
  requireAddress(url)
  requirePatterns(events)
  const endpoint = em.create(WebhookEndpoint, { url, events, secretRefs: [] })
  const secret = newWebhookSecret()
  endpoint.secretRefs = [await sealSecret(em, endpoint, secret)]
  await em.flush()
  return { endpoint, secret }
}

export function listenFor(endpoint: WebhookEndpoint, events: string[]): void {
  requirePatterns(events)
  endpoint.events = events
}

/** What is sent is signed with both until the old one is dropped, so a receiver can change at any time in between. */
export async function rotateEndpointSecret(em: ScopedEntityManager, endpoint: WebhookEndpoint): Promise<string> {
  const secret = newWebhookSecret()
  endpoint.secretRefs = [await sealSecret(em, endpoint, secret), endpoint.secretRefs[0]!]
  return secret
}

export function dropOldSecret(endpoint: WebhookEndpoint): void {
  endpoint.secretRefs = endpoint.secretRefs.slice(0, 1)
}

/** Tells the endpoint, as if it were news, of the last change of itself: whether and how it answers, its delivery says. */
export async function testEndpoint(em: ScopedEntityManager, endpoint: WebhookEndpoint, at: Date = now()): Promise<WebhookDelivery> {
  const { id: eventId, type: eventType } = await em.findOneOrFail(
    AuditEvent,
    { tenantId: endpoint.tenantId, entity: 'webhook-endpoint', entityId: endpoint.id },
    { orderBy: { seq: 'desc' }, disableIdentityMap: true },
  )
  const known = await em.findOne(WebhookDelivery, { endpoint, eventId }, { lockMode: LockMode.PESSIMISTIC_WRITE })
  if (!known) return em.create(WebhookDelivery, { endpoint, eventId, eventType, nextAttemptAt: at })
  if (known.status !== 'PENDING' && known.status !== 'FAILED') known.resend(at)
  return known
}

/** Sends again what was given up, for instance while the receiver was away; how many there are. */
export async function resendDead(em: ScopedEntityManager, endpoint: WebhookEndpoint, at: Date = now(), limit = 1_000): Promise<number> {
  const dead = await em.find(
    WebhookDelivery,
    { endpoint, status: 'DEAD' },
    { orderBy: { id: 'asc' }, limit, lockMode: LockMode.PESSIMISTIC_WRITE },
  )
  for (const delivery of dead) delivery.resend(at)
  return dead.length
}

export function secretsOf(em: ScopedEntityManager, endpoint: WebhookEndpoint): Promise<string[]> {
  return Promise.all(endpoint.secretRefs.map(sealed => openSecret(em, endpoint, sealed)))
}

function requirePatterns(patterns: readonly string[]): void {
  const shape = new RegExp(eventPattern)
  const wrong = patterns.length === 0 ? ['(nothing)'] : patterns.filter(pattern => !shape.test(pattern))
  if (wrong.length > 0) throw new EventPatternError(wrong)
}
