import { idNamed } from '../../kernel/id.ts'
import type { RunSql } from '../../orm/index.ts'
import type { Plan } from './plan.entity.ts'

export const planCatalogue: readonly Pick<Plan, 'key' | 'name' | 'limits' | 'prices'>[] = [
  { key: 'FREE', name: 'Free', limits: { API_CALLS: 1_000, ANALYSES: 20, FIXES: 5, AUDITS: 5, TOKENS: 50_000 }, prices: {} },
  {
    key: 'STARTER',
    name: 'Starter',
    limits: { API_CALLS: 20_000, ANALYSES: 200, FIXES: 50, AUDITS: 50, TOKENS: 1_000_000 },
    prices: { EUR: { month: 2_900, year: 29_000 }, USD: { month: 2_900, year: 29_000 }, CAD: { month: 3_900, year: 39_000 } },
  },
  {
    key: 'PROFESSIONAL',
    name: 'Professional',
    limits: { API_CALLS: 200_000, ANALYSES: 2_000, FIXES: 500, AUDITS: 500, TOKENS: 10_000_000 },
    prices: { EUR: { month: 9_900, year: 99_000 }, USD: { month: 9_900, year: 99_000 }, CAD: { month: 12_900, year: 129_000 } },
  },
  { key: 'ENTERPRISE', name: 'Enterprise', limits: {}, prices: {} },
]

/** Brings the table in step with the catalogue, as the owner, after every migration. */
export async function syncPlanCatalogue(run: RunSql): Promise<void> {
  const [table] = await run(`select to_regclass('public.plan') as name`)
  if (!table?.name) return
  const rows = planCatalogue.map(({ key, name, limits, prices }) => {
    return `('${idNamed(`plan:${key}`)}', '${key}', '${name}', '${JSON.stringify(limits)}', '${JSON.stringify(prices)}')`
  })
  await run(
    `insert into plan (id, key, name, limits, prices) values ${rows.join(', ')}
       on conflict (key) do update set name = excluded.name, limits = excluded.limits, prices = excluded.prices
       where (plan.name, plan.limits, plan.prices) is distinct from (excluded.name, excluded.limits, excluded.prices)`,
  )
}
