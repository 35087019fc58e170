import { openSecret, sealSecret } from '../../audit/index.ts'
import { eventPattern } from '../../kernel/event-pattern.ts'
import { requireAddress } from '../../kernel/outgoing.ts'
import { newWebhookSecret } from '../../kernel/standard-webhooks.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { EventPatternError } from './system.errors.ts'
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

export function secretsOf(em: ScopedEntityManager, endpoint: WebhookEndpoint): Promise<string[]> {
  return Promise.all(endpoint.secretRefs.map(sealed => openSecret(em, endpoint, sealed)))
}

function requirePatterns(patterns: readonly string[]): void {
  const shape = new RegExp(eventPattern)
  const wrong = patterns.length === 0 ? ['(nothing)'] : patterns.filter(pattern => !shape.test(pattern))
  if (wrong.length > 0) throw new EventPatternError(wrong)
}
