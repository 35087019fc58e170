import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { type UsageMetric, usageMetrics } from './usage-metrics.ts'

/** How much of its quota an organization has used in a period. It changes with each use, so the log leaves it to the usage events. */
export class QuotaCounter extends TenantRow {
  declare metric: UsageMetric
  declare periodStart: Date
  declare resetAt: Date
  declare used: Opt<number>
  /** As it was when the period's last use was counted; null is unlimited. */
  declare limit?: number | null
}

export const QuotaCounterSchema: EntitySchema<QuotaCounter> = tenantEntity({
  class: QuotaCounter,
  properties: {
    metric: p.enum(usageMetrics),
    periodStart: moment(),
    resetAt: moment(),
    used: p.bigint('number').default(0),
    limit: p.bigint('number').nullable(),
  },
  uniques: [{ properties: ['metric', 'periodStart'] }],
  checks: [{ name: 'quota_counter_within', expression: 'used >= 0' }],
  audit: false,
})
