import { type EntitySchema, type Opt, p, type Ref, type TriggerDef } from '@mikro-orm/core'
import { moment, statementTrigger, tenantEntity, TenantRow } from '../../orm/index.ts'
import { ApiKey } from '../access/index.ts'
import { User } from '../identity/index.ts'
import { type UsageMetric, usageMetrics } from './usage-metrics.ts'

/** Something was used, by whom and for which request. Only ever added, and its own record, so the log doesn't tell it again. */
export class UsageEvent extends TenantRow {
  declare metric: UsageMetric
  declare quantity: number
  declare user?: Ref<User> | null
  declare apiKey?: Ref<ApiKey> | null
  /** What is used for one request counts once, however often it is told. */
  declare requestId: string
  declare route?: string | null
  declare durationMs?: number | null
  declare status?: number | null
  declare metadata: Opt<Record<string, unknown>>
  declare occurredAt: Date
}

/**
 * Once a statement, for rows that come by the thousand. Days are taken in one order, so that two who count the same ones don't wait for each other.
 * A day's id says when it begins, like any, and is made of what is counted, so that the same uses make the same rows everywhere. So there are two
 * ways in which a row may be there already, and a conflict is foreseen for one of them: whoever counts a day holds its lock.
 */
const countsDays: TriggerDef<UsageEvent> = statementTrigger({
  table: 'usage_event',
  name: 'counts_days',
  event: 'insert',
  rows: 'added',
  body: `begin
      perform pg_advisory_xact_lock(place) from (
        select distinct hashtextextended(concat_ws(' ', 'usage_day', tenant_id, metric, extract(epoch from date_trunc('day', occurred_at, 'UTC'))), 0) as place
          from added order by 1) as days;
      insert into usage_day as d (id, tenant_id, day, metric, quantity, events, created_at, updated_at)
        select (lpad(to_hex((extract(epoch from day) * 1000)::bigint), 12, '0') || '7' || substr(md5(tenant_id || metric), 1, 3)
              || '8' || substr(md5(tenant_id || metric), 4, 15))::uuid,
            tenant_id, day, metric, sum(quantity), count(*), min(created_at), max(updated_at)
          from (select *, date_trunc('day', occurred_at, 'UTC') as day from added) as a
          group by tenant_id, day, metric order by tenant_id, day, metric
        on conflict (tenant_id, day, metric) do update set quantity = d.quantity + excluded.quantity, events = d.events + excluded.events,
          updated_at = greatest(d.updated_at, excluded.updated_at);
      return null;
    end;`,
})

export const UsageEventSchema: EntitySchema<UsageEvent> = tenantEntity({
  class: UsageEvent,
  properties: {
    metric: p.enum(usageMetrics),
    quantity: p.integer(),
    user: () => p.manyToOne(User).ref().nullable(),
    apiKey: () => p.manyToOne(ApiKey).ref().nullable(),
    requestId: p.text(),
    route: p.text().nullable(),
    durationMs: p.integer().nullable(),
    status: p.integer().nullable(),
    metadata: p
      .json<Record<string, unknown>>()
      .onCreate(() => ({}))
      .defaultRaw(`'{}'`),
    occurredAt: moment(),
  },
  uniques: [{ properties: ['requestId', 'metric'] }],
  indexes: [{ properties: ['metric', 'occurredAt'] }],
  checks: [{ name: 'usage_event_quantity', expression: 'quantity > 0' }],
  triggers: [countsDays],
  access: 'append',
  audit: false,
})
