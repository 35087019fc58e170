import { LockMode } from '@mikro-orm/core'
import { AuditEvent } from '../../audit/index.ts'
import { allDone } from '../../kernel/all-done.ts'
import { latest, now } from '../../kernel/clock.ts'
import { isNamedBy } from '../../kernel/event-pattern.ts'
import { newId } from '../../kernel/id.ts'
import type { Post } from '../../kernel/outgoing.ts'
import { webhookHeaders } from '../../kernel/standard-webhooks.ts'
import { messageOf } from '../../kernel/error.ts'
import { lockedAfresh, type ScopedEntityManager, type Transact } from '../../orm/index.ts'
import { type FollowedEvent, openEvents } from '../../readers/index.ts'
import { eventBody } from './event-body.ts'
import { WebhookDelivery } from './webhook-delivery.entity.ts'
import { WebhookEndpoint } from './webhook-endpoint.entity.ts'
import { secretsOf } from './webhook-endpoints.ts'

/** Queues these events for the endpoints that listen for them, and did so before them. A follower of all tenants works as an operator. */
export async function queueDeliveries(events: readonly FollowedEvent[], em: ScopedEntityManager): Promise<void> {
  const tenants = [...new Set(events.map(({ tenantId }) => tenantId))]
  const endpoints = await em.find(WebhookEndpoint, { tenantId: { $in: tenants }, isActive: true })
  const wanted = endpoints.flatMap(endpoint => events.filter(event => listens(endpoint, event)).map(event => ({ endpoint, event })))
  if (wanted.length === 0) return
  const rows = wanted.map(({ endpoint, event }) => ({
    id: newId(),
    tenant_id: endpoint.tenantId,
    endpoint_id: endpoint.id,
    event_id: event.id,
    event_type: event.type,
  }))
  await em.execute(
    `insert into webhook_delivery (id, tenant_id, endpoint_id, event_id, event_type, next_attempt_at)
       select id, tenant_id, endpoint_id, event_id, event_type, ? from jsonb_to_recordset(?::jsonb)
         as wanted(id uuid, tenant_id uuid, endpoint_id uuid, event_id uuid, event_type text)
       on conflict (tenant_id, endpoint_id, event_id) do nothing`,
    [now(), JSON.stringify(rows)],
  )
}

function listens({ tenantId, createdAt, events }: WebhookEndpoint, event: FollowedEvent): boolean {
  return event.tenantId === tenantId && event.recordedAt >= createdAt && events.some(pattern => isNamedBy(pattern, event.type))
}

export interface Deliverer {
  readonly post: Post
  readonly transact: Transact
}

const timeoutMs = 15_000
/** Longer than a call may take: whoever has taken a delivery has it for so long. */
const holdMs = 60_000

/** Sends what is due, some at a time; how many there were. It arrives at least once; the receiver knows it again by its id. */
export async function deliverWebhooks({ post, transact }: Deliverer, at: Date): Promise<number> {
  const messages = await transact(em => take(em, at))
  await allDone(
    messages.map(async message => {
      const outcome = await send(post, message)
      await transact(em => record(em, message, outcome))
    }),
  )
  return messages.length
}

const due = (at: Date) => ({ nextAttemptAt: { $lte: at } })

export function countDueDeliveries(em: ScopedEntityManager, at: Date, tenantId?: string): Promise<number> {
  return em.count(WebhookDelivery, { ...due(at), ...(tenantId && { tenantId }) })
}

interface Message {
  readonly delivery: string
  readonly attempt: number
  readonly url: string
  readonly secrets: readonly string[]
  readonly event: AuditEvent | undefined
  readonly isActive: boolean
}

async function take(em: ScopedEntityManager, at: Date): Promise<Message[]> {
  const deliveries = await em.find(WebhookDelivery, due(at), {
    limit: 50,
    orderBy: { nextAttemptAt: 'asc' },
    lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE,
  })
  await em.populate(deliveries, ['endpoint'])
  const found = await em.find(AuditEvent, { id: { $in: deliveries.map(({ eventId }) => eventId) } }, { disableIdentityMap: true })
  const events = new Map((await openEvents(em, found)).map(event => [event.id, event]))
  const until = new Date(latest(at).getTime() + holdMs)
  return Promise.all(
    deliveries.map(async delivery => {
      delivery.take(until)
      const endpoint = delivery.endpoint.getEntity()
      const { url, isActive } = endpoint
      const { id, attempt, eventId } = delivery
      return { delivery: id, attempt, url, isActive, secrets: await secretsOf(em, endpoint), event: events.get(eventId) }
    }),
  )
}

interface Outcome {
  readonly status?: number
  readonly error?: string
  readonly durationMs: number
}

async function send(post: Post, { url, secrets, event, isActive }: Message): Promise<Outcome> {
  if (!isActive) return { error: 'The endpoint is disabled.', durationMs: 0 }
  if (!event) return { error: 'The event is not in the log any more.', durationMs: 0 }
  const startedAt = performance.now()
  const took = () => Math.round(performance.now() - startedAt)
  const body = JSON.stringify(eventBody(event))
  const headers = { 'content-type': 'application/json', ...webhookHeaders({ id: event.id, at: new Date(), body }, secrets) }
  try {
    const { status } = await post({ url, headers, body, timeoutMs })
    return { status, durationMs: took() }
  } catch (error) {
    return { error: messageOf(error), durationMs: took() }
  }
}

async function record(em: ScopedEntityManager, message: Message, { status, error, durationMs }: Outcome): Promise<void> {
  const delivery = await em.findOne(WebhookDelivery, message.delivery, { lockMode: LockMode.PESSIMISTIC_WRITE, populate: [] })
  // Deleted meanwhile with its endpoint, or held for too long and taken by somebody else.
  if (delivery?.attempt !== message.attempt) return
  if (!message.isActive || !message.event) return delivery.abandon(error!)
  if (status !== undefined && status >= 200 && status < 300) {
    delivery.arrive(status, durationMs)
    const { failureCount } = await em.findOneOrFail(WebhookEndpoint, delivery.endpoint.id)
    if (failureCount > 0) (await endpointOf(em, delivery)).arrived()
    return
  }
  const isGivenUp = delivery.fail(now(), error ?? `It was answered ${status}.`, durationMs, status ?? null)
  if (isGivenUp) (await endpointOf(em, delivery)).gaveUp(now())
  // Gone: whoever answers so wants to hear no more.
  if (status === 410) (await endpointOf(em, delivery)).disable(now())
}

/** Its other deliveries are recorded at the same time, so they take turns where they change it; where they don't, nobody waits. */
function endpointOf(em: ScopedEntityManager, { endpoint }: WebhookDelivery): Promise<WebhookEndpoint> {
  return lockedAfresh(em, WebhookEndpoint, endpoint.id)
}
