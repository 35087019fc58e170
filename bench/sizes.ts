import type { Ground } from './ground.ts'
import { Item, values } from './model.ts'
import type { Figure } from './rounds.ts'

const batches = 10
const perBatch = 1_000

/**
 * What an event weighs, without its indexes, against the change that it describes: for a created row the row itself; for an updated one
 * its changed values, before and after.
 */
export async function sizeFigures(ground: Ground): Promise<Figure[]> {
  const empty = await diskUsed(ground)
  for (let batch = 0; batch < batches; batch++) await createAndUpdate(ground)
  const full = await diskUsed(ground)
  const [sizes] = (await ground.administer(sizesSql)) as [
    Record<'row' | 'values' | 'created' | 'updated' | 'toldCreated' | 'toldUpdated', number>,
  ]
  const perMillion = (part: 'heap' | 'all') => ((full[part] - empty[part]) / (2 * batches * perBatch)) * 1e6
  return [
    weight('size of an event that creates, against its row', sizes.row, sizes.created),
    weight('size of an event that updates 4 of 12, against the values', sizes.values, sizes.updated),
    told('size of an event that creates, against what it tells', sizes.toldCreated, sizes.created),
    told('size of an event that updates, against what it tells', sizes.toldUpdated, sizes.updated),
    { name: 'size of a million events', unit: 'bytes', daybook: perMillion('heap'), value: perMillion('heap') },
    { name: 'size of a million events with indexes', unit: 'bytes', daybook: perMillion('all'), value: perMillion('all') },
  ]
}

async function createAndUpdate({ scope }: Ground): Promise<void> {
  const em = scope()
  const items = Array.from({ length: perBatch }, (_none, index) => em.create(Item, values(index)))
  await em.flush()
  for (const item of items) Object.assign(item, { title: `${item.title}, changed`, quantity: item.quantity + 1, notes: 'Other words.' })
  await em.flush()
}

async function diskUsed({ administer }: Ground): Promise<{ heap: number; all: number }> {
  const [used] = await administer(
    `select sum(pg_table_size(relid))::float8 as heap, sum(pg_total_relation_size(relid))::float8 as all from pg_partition_tree('audit_event') where isleaf`,
  )
  return used as { heap: number; all: number }
}

const sizesSql = `
  with made as (
    select e.* from audit_event e where e.entity = 'item' and e.source = 'unit-of-work' order by e.seq desc limit ${2 * perBatch}
  ), sizes as (
    select e.type, pg_column_size(e.*) as event, coalesce(octet_length(e.before::text), 0) + octet_length(e.after::text) as told from made e
  )
  select
    (select avg(event) from sizes where type = 'item.created')::float8 as created,
    (select avg(event) from sizes where type = 'item.updated')::float8 as updated,
    (select avg(told) from sizes where type = 'item.created')::float8 as "toldCreated",
    (select avg(told) from sizes where type = 'item.updated')::float8 as "toldUpdated",
    (select avg(pg_column_size(i.*)) from item i join made e on e.entity_id = i.id and e.type = 'item.created')::float8 as row,
    (select avg(pg_column_size(row(b.title, b.quantity, b.notes, b.updated_at)) + pg_column_size(row(a.title, a.quantity, a.notes, a.updated_at)))
      from made e, jsonb_populate_record(null::item, e.before::jsonb) b, jsonb_populate_record(null::item, e.after::jsonb) a
      where e.type = 'item.updated')::float8 as values`

function weight(name: string, change: number, event: number): Figure {
  return { name, unit: 'bytes', stock: change, daybook: event, value: event / change, target: 2.5 }
}

/** For comparison: the same against the change as a document with its names, which the log keeps it as. */
function told(name: string, change: number, event: number): Figure {
  return { name, unit: 'bytes', stock: change, daybook: event, value: event / change }
}
