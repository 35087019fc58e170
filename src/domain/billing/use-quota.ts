import { TenantContextMissingError, type TenantScope } from '../../context/index.ts'
import { now } from '../../kernel/clock.ts'
import { newId } from '../../kernel/id.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { Organization } from '../organizations/index.ts'
import { QuantityRefusedError, QuotaExceededError } from './billing.errors.ts'
import { Plan } from './plan.entity.ts'
import { QuotaCounter } from './quota-counter.entity.ts'
import { type Period, quotaPeriod } from './quota-period.ts'
import { type Limits, type UsageMetric, usageMetrics } from './usage-metrics.ts'

export interface Use {
  readonly metric: UsageMetric
  readonly quantity?: number
  readonly requestId: string
  readonly route?: string
  readonly durationMs?: number
  readonly status?: number
  readonly metadata?: Record<string, unknown>
  readonly at?: Date
}

/** What the column holds. */
const mostAtOnce = 2 ** 31 - 1

export interface Quota {
  readonly used: number
  /** Undefined where the plan sets none. */
  readonly limit?: number
  readonly resetAt: Date
}

/**
 * Counts a use against the quota and records it, or refuses it and records nothing. Counting is one statement that takes the counter's lock,
 * so of any number at once no more get through than the limit allows. The same request told twice counts once.
 */
export async function useQuota(em: ScopedEntityManager, use: Use): Promise<Quota> {
  const { metric, quantity = 1, at = now() } = use
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > mostAtOnce) throw new QuantityRefusedError(metric, quantity)
  const { limits, ...period } = await allowanceOf(em, at)
  const { resetAt } = period
  const limit = limits[metric]
  const counted = await em.transactional(async inner => {
    const isNew = await record(inner, use, quantity, at)
    const used = await count(inner, { metric, quantity: isNew ? quantity : 0, limit, ...period })
    if (used === undefined) throw new QuotaExceededError(metric, limit!, resetAt)
    return used
  })
  return { used: counted, resetAt, ...(limit !== undefined && { limit }) }
}

export interface QuotaOf extends Quota {
  readonly metric: UsageMetric
}

/** How much of each quota is used in the period that runs. */
export async function quotas(em: ScopedEntityManager, at: Date = now()): Promise<QuotaOf[]> {
  const { limits, periodStart, resetAt } = await allowanceOf(em, at)
  const counters = await em.find(QuotaCounter, { periodStart })
  return usageMetrics.map(metric => {
    const limit = limits[metric]
    const used = counters.find(counter => counter.metric === metric)?.used ?? 0
    return { metric, used: Number(used), resetAt, ...(limit !== undefined && { limit }) }
  })
}

interface Allowance extends Period {
  readonly limits: Limits
}

async function allowanceOf(em: ScopedEntityManager, at: Date): Promise<Allowance> {
  const organization = await em.findOneOrFail(Organization, scopeOf(em).tenantId)
  const plan = await em.findOneOrFail(Plan, { key: organization.plan })
  return { limits: plan.limits, ...(await quotaPeriod(em, at)) }
}

/** Whether it was not recorded before. */
async function record(em: ScopedEntityManager, use: Use, quantity: number, at: Date): Promise<boolean> {
  const { actor, tenantId } = scopeOf(em)
  const { metric, requestId, route = null, durationMs = null, status = null, metadata = {} } = use
  const by = (type: string) => (actor.type === type ? actor.id : null)
  const rows = await em.execute<unknown[]>(
    `insert into usage_event (id, tenant_id, metric, quantity, user_id, api_key_id, request_id, route, duration_ms, status, metadata, occurred_at,
         created_at, updated_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb, ?, ?, ?) on conflict (tenant_id, request_id, metric) do nothing returning id`,
    [
      newId(),
      tenantId,
      metric,
      quantity,
      by('user'),
      by('api_key'),
      requestId,
      route,
      durationMs,
      status,
      JSON.stringify(metadata),
      at,
      ...stamps(),
    ],
  )
  return rows.length > 0
}

interface Count extends Period {
  readonly metric: UsageMetric
  readonly quantity: number
  readonly limit: number | undefined
}

/** How much is used then, or undefined where it would be too much. */
async function count(em: ScopedEntityManager, { metric, quantity, limit, periodStart, resetAt }: Count): Promise<number | undefined> {
  const { tenantId } = scopeOf(em)
  if (limit !== undefined && quantity > limit) return undefined
  const [row] = await em.execute<{ used: string }[]>(
    `insert into quota_counter as c (id, tenant_id, metric, period_start, reset_at, used, "limit", created_at, updated_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?)
       on conflict (tenant_id, metric, period_start) do update set used = c.used + excluded.used, "limit" = excluded."limit", reset_at = excluded.reset_at,
         updated_at = excluded.updated_at
         where excluded."limit" is null or excluded.used = 0 or c.used + excluded.used <= excluded."limit"
       returning used`,
    [newId(), tenantId, metric, periodStart, resetAt, quantity, limit ?? null, ...stamps()],
  )
  return row && Number(row.used)
}

/** When a row is written, by the application's clock like everywhere else. */
function stamps(): [Date, Date] {
  const at = now()
  return [at, at]
}

function scopeOf(em: ScopedEntityManager): TenantScope {
  const scope = em.boundScope
  if (scope?.kind !== 'tenant') throw new TenantContextMissingError('UsageEvent', 'create')
  return scope
}
