import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { type UsageMetric, usageMetrics } from './usage-metrics.ts'

/**
 * How much of something an organization used on a day. The database counts it with each use that is recorded, whoever records it, so it is what
 * the usage events add up to at any time, and there when they are not any more.
 */
export class UsageDay extends TenantRow {
  /** When the day begins, in UTC. */
  declare day: Date
  declare metric: UsageMetric
  declare quantity: Opt<number>
  declare events: Opt<number>
}

export const UsageDaySchema: EntitySchema<UsageDay> = tenantEntity({
  class: UsageDay,
  properties: {
    day: moment(),
    metric: p.enum(usageMetrics),
    quantity: p.bigint('number').default(0),
    events: p.bigint('number').default(0),
  },
  uniques: [{ properties: ['day', 'metric'] }],
  checks: [
    { name: 'usage_day_begins', expression: `day = date_trunc('day', day, 'UTC')` },
    { name: 'usage_day_counts', expression: 'events >= 0 and quantity >= events' },
  ],
  audit: false,
})
