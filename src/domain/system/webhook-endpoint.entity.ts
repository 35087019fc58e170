import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'

/** Where an organization wants to be told what happens. */
export class WebhookEndpoint extends TenantRow {
  declare url: string
  /** Sealed for this row: the secret in use, and while it is being exchanged the one before. */
  declare secretRefs: string[]
  /** `task.created`, `task.*` or `*`. */
  declare events: string[]
  declare isActive: Opt<boolean>
  /** Deliveries in a row that were given up. */
  declare failureCount: Opt<number>
  declare disabledAt?: Date | null
  declare version: Opt<number>

  enable(): void {
    this.isActive = true
    this.failureCount = 0
    this.disabledAt = null
  }

  disable(at: Date): void {
    this.isActive = false
    this.disabledAt ??= at
  }

  arrived(): void {
    if (this.failureCount > 0) this.failureCount = 0
  }

  /** Nobody is at home: calling on would only cost both sides. */
  gaveUp(at: Date): void {
    this.failureCount++
    if (this.failureCount >= 10) this.disable(at)
  }
}

export const WebhookEndpointSchema: EntitySchema<WebhookEndpoint> = tenantEntity({
  class: WebhookEndpoint,
  properties: {
    url: p.text(),
    secretRefs: p.json<string[]>().hidden(),
    events: p.json<string[]>(),
    isActive: p.boolean().default(true),
    failureCount: p.integer().default(0),
    disabledAt: moment().nullable(),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['url'] }],
  checks: [
    { name: 'webhook_endpoint_disabled', expression: 'is_active = (disabled_at is null)' },
    { name: 'webhook_endpoint_secret_refs_list', expression: `jsonb_typeof(secret_refs) = 'array'` },
    { name: 'webhook_endpoint_events_list', expression: `jsonb_typeof(events) = 'array'` },
  ],
  audit: { secret: ['secretRefs'] },
})
