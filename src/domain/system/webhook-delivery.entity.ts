import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { WebhookEndpoint } from './webhook-endpoint.entity.ts'

export const deliveryStatuses = ['PENDING', 'OK', 'FAILED', 'DEAD'] as const
export type DeliveryStatus = (typeof deliveryStatuses)[number]

/** One that failed is tried again; one that is dead, when somebody says so. */
export const deliveryTransitions: Transitions<DeliveryStatus> = {
  PENDING: ['OK', 'FAILED', 'DEAD'],
  FAILED: ['OK', 'FAILED', 'DEAD'],
  DEAD: ['PENDING'],
  OK: ['PENDING'],
}

const [second, minute, hour] = [1_000, 60_000, 3_600_000]
const waits = [5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour]

/** That an endpoint is told of an event. It holds no copy of it: what is told is read when it is sent, so what was erased stays so. */
export class WebhookDelivery extends TenantRow {
  declare endpoint: Ref<WebhookEndpoint>
  declare eventId: string
  declare eventType: string
  declare attempt: Opt<number>
  declare status: Opt<DeliveryStatus>
  declare responseStatus?: number | null
  declare error?: string | null
  /** Nobody else takes it before then. */
  declare nextAttemptAt?: Date | null
  declare durationMs?: number | null

  take(until: Date): void {
    this.attempt++
    this.nextAttemptAt = until
  }

  arrive(responseStatus: number, durationMs: number): void {
    this.become('OK')
    Object.assign(this, { responseStatus, durationMs, error: null, nextAttemptAt: null })
  }

  /** Whether it is given up. */
  fail(at: Date, error: string, durationMs: number, responseStatus: number | null = null): boolean {
    const waitMs = waits[this.attempt - 1]
    this.become(waitMs === undefined ? 'DEAD' : 'FAILED')
    const nextAttemptAt = waitMs === undefined ? null : new Date(at.getTime() + waitMs)
    Object.assign(this, { responseStatus, durationMs, error, nextAttemptAt })
    return waitMs === undefined
  }

  abandon(error: string): void {
    this.become('DEAD')
    Object.assign(this, { error, nextAttemptAt: null })
  }

  /** From the beginning, as if it had never been tried. */
  resend(at: Date): void {
    this.become('PENDING')
    Object.assign(this, { attempt: 0, error: null, nextAttemptAt: at })
  }

  private become(status: DeliveryStatus): void {
    this.status = nextState('A delivery', deliveryTransitions, this.status, status)
  }
}

export const WebhookDeliverySchema: EntitySchema<WebhookDelivery> = tenantEntity({
  class: WebhookDelivery,
  properties: {
    endpoint: () => p.manyToOne(WebhookEndpoint).ref().deleteRule('cascade'),
    eventId: p.uuid(),
    eventType: p.text(),
    attempt: p.integer().default(0),
    status: p.enum(deliveryStatuses).default('PENDING'),
    responseStatus: p.integer().nullable(),
    error: p.text().nullable(),
    nextAttemptAt: moment().nullable(),
    durationMs: p.integer().nullable(),
  },
  uniques: [{ properties: ['endpoint', 'eventId'] }],
  indexes: [{ properties: ['nextAttemptAt'] }, { properties: ['status', 'updatedAt'] }],
  checks: [
    { name: 'webhook_delivery_next', expression: `(status = 'OK' or status = 'DEAD') = (next_attempt_at is null)` },
    { name: 'webhook_delivery_attempt', expression: 'attempt >= 0' },
  ],
  immutable: ['endpoint', 'eventId', 'eventType'],
  // It is a record itself, and to tell what was told would never end.
  audit: false,
})
