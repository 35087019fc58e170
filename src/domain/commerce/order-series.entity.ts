import { type EntitySchema, p } from '@mikro-orm/core'
import { newId } from '../../kernel/id.ts'
import { type ScopedEntityManager, tenantEntity, TenantRow } from '../../orm/index.ts'

/** The last number that an organization has given to an order in a year. The orders tell of it, so the log doesn't. */
export class OrderSeries extends TenantRow {
  declare year: number
  declare last: number
}

export const OrderSeriesSchema: EntitySchema<OrderSeries> = tenantEntity({
  class: OrderSeries,
  properties: { year: p.integer(), last: p.integer() },
  uniques: [{ properties: ['year'] }],
  checks: [{ name: 'order_series_last', expression: 'last > 0' }],
  audit: false,
})

/**
 * The next number of the year. One statement that takes the series' lock, so orders at once take turns; the number of one that isn't
 * committed goes to the next, and that of one that is deleted to nobody.
 */
export async function nextOrderNumber(em: ScopedEntityManager, tenantId: string, at: Date): Promise<string> {
  const year = at.getUTCFullYear()
  const [row] = await em.execute<{ last: number }[]>(
    `insert into order_series as s (id, tenant_id, year, last) values (?, ?, ?, 1)
       on conflict (tenant_id, year) do update set last = s.last + 1 returning last`,
    [newId(), tenantId, year],
  )
  return `${year}-${String(row!.last).padStart(6, '0')}`
}
