import { systemActor } from '../src/context/index.ts'
import { newId } from '../src/kernel/id.ts'
import { foldedTableSql } from '../src/readers/folded-table.ts'
import type { Ground } from './ground.ts'
import { Item } from './model.ts'
import { history, subscribe } from '../src/readers/index.ts'
import { clock, collectGarbage, type Figure } from './rounds.ts'

/** Reading the log back, as the tenant, under row level security, out of a log that holds other tenants' events too. */
export async function readFigures(ground: Ground, rounds: number): Promise<Figure[]> {
  const { daybook, administer } = ground
  const tenant = newId()
  const busy = newId()
  await administer(eventsSql(tenant, 10_000, 10), eventsSql(tenant, 1, 100, busy), 'vacuum analyze audit_event')
  const transact = (sql: string) =>
    daybook.transact({ tenant, actor: systemActor('bench') }, em => em.execute<Record<string, unknown>[]>(sql))
  const folded = foldedTableSql(daybook.orm.getMetadata().get(Item))
  const [{ count }] = (await transact(`select count(*)::int as count from (${folded}) as folded`)) as [{ count: number }]
  if (count !== 10_001) throw new Error(`Folding gave ${count} rows instead of 10,001.`)
  return [
    await clock('read: fold 10,000 entities of 10 events', 1_000, rounds, () =>
      transact(`select count(*), max(title), sum(quantity) from (${folded}) as folded`),
    ),
    await clock('read: history of an entity with 100 versions', 5, rounds, () => lifeOf(ground, tenant, busy), 20),
    await clock('read: follow 100,000 events', 1_000, rounds, () => follow(ground, tenant, newId())),
    await memoryOfFollowing(ground, tenant),
  ]
}

/** What a user calls: its transaction, the events and what each of them changed. */
async function lifeOf({ daybook }: Ground, tenant: string, id: string): Promise<void> {
  const life = await daybook.transact({ tenant, actor: systemActor('bench') }, em => history(em, [Item, id]))
  const told = life.flatMap(({ changes }) => changes)
  if (life.length !== 100 || told.length !== 10 + 99 * 3)
    throw new Error(`The history tells ${told.length} changes in ${life.length} events.`)
}

/** From the beginning to the end, by a follower of its own. */
async function follow({ daybook }: Ground, tenant: string, name: string, onBatch: (seen: number) => void = () => {}): Promise<void> {
  let seen = 0
  const scope = { tenant, actor: systemActor('bench') }
  await using subscription = subscribe(daybook, name, async events => onBatch((seen += events.length)), { scope, batch: 5_000, pollMs: 5 })
  await subscription.caughtUp()
  if (seen < 100_000) throw new Error(`Following gave ${seen} events instead of 100,100.`)
}

/** What stays on the heap late in the log, against early in it. */
async function memoryOfFollowing(ground: Ground, tenant: string): Promise<Figure> {
  const heap: number[] = []
  await follow(ground, tenant, newId(), () => {
    collectGarbage()
    heap.push(process.memoryUsage().heapUsed)
  })
  const [early, late] = [heap[1]!, heap.at(-1)!]
  return {
    name: 'read: heap after 100,000 events, against 10,000',
    unit: 'bytes',
    stock: early,
    daybook: late,
    value: late / early,
    target: 1.1,
  }
}

const changed = (version: string) =>
  `json_build_object('updated_at', '2026-11-21T10:00:00.12+00:00', 'title', 'Changed ' || ${version}, 'quantity', ${version})`

/** Entities that were created and then updated, all of them in turn, as a busy table's events lie in the log. */
function eventsSql(tenant: string, entities: number, versions: number, only?: string): string {
  const created = `json_build_object('created_at', '2026-11-21T10:00:00.12+00:00', 'updated_at', '2026-11-21T10:00:00.12+00:00', 'title',
    'An item of ordinary length', 'status', 'NEW', 'quantity', 1, 'price', 1.50, 'is_open', true, 'due_on', '2027-03-01',
    'seen_at', '2026-11-21T10:00:00.12+00:00', 'notes', 'Some words that somebody wrote down about it.')`
  return `insert into audit_event (tenant_id, type, entity, entity_id, changed, before, after, source)
    select '${tenant}', 'item.' || case v when 1 then 'created' else 'updated' end, 'item', i,
      case when v > 1 then '{updated_at,title,quantity}'::text[] end,
      case when v > 1 then ${changed('v - 1')} end,
      case when v > 1 then ${changed('v')} else ${created} end, 'unit-of-work'
    from generate_series(1, ${versions}) as v, (select ${only ? `'${only}'::uuid` : 'gen_random_uuid()'} as i from generate_series(1, ${entities}) offset 0) as ids
    order by v`
}
