import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { Subscription } from './subscription.entity.ts'

export const billingEventStatuses = ['RECEIVED', 'PROCESSED', 'FAILED', 'IGNORED'] as const
export type BillingEventStatus = (typeof billingEventStatuses)[number]

/** What the payment provider told, once each, however often it was sent; and what became of it. */
export class BillingEvent extends TenantRow {
  declare provider: string
  declare providerEventId: string
  declare type: string
  declare payload: Record<string, unknown>
  declare status: Opt<BillingEventStatus>
  declare subscription?: Ref<Subscription> | null
  declare receivedAt: Date
  declare processedAt?: Date | null
  declare error?: string | null

  settle(status: Exclude<BillingEventStatus, 'RECEIVED'>, at: Date, error?: string): void {
    this.status = status
    this.processedAt = at
    this.error = error ?? null
  }
}

export const BillingEventSchema: EntitySchema<BillingEvent> = tenantEntity({
  class: BillingEvent,
  properties: {
    provider: p.text(),
    providerEventId: p.text(),
    type: p.text(),
    payload: p.json<Record<string, unknown>>(),
    status: p.enum(billingEventStatuses).default('RECEIVED'),
    subscription: () => p.manyToOne(Subscription).ref().nullable(),
    receivedAt: moment(),
    processedAt: moment().nullable(),
    error: p.text().nullable(),
  },
  uniques: [{ properties: ['provider', 'providerEventId'] }],
  indexes: [{ properties: ['status', 'receivedAt'] }],
  checks: [{ name: 'billing_event_processed', expression: `(status = 'RECEIVED') = (processed_at is null)` }],
  audit: { personal: ['payload'] },
  immutable: ['provider', 'providerEventId', 'type', 'payload'],
})
