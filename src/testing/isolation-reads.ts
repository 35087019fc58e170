import assert from 'node:assert/strict'
import type { AnyEntity, Ground } from './isolation-ground.ts'

type Read = (ground: Ground) => Promise<readonly string[]>
const idsOf = (rows: readonly { id?: unknown }[]) => rows.map(({ id }) => String(id))
const off = { filters: false } as const

/** Every way to read, each giving the ids that it saw. */
const reads: Readonly<Record<string, Read>> = {
  find: async ({ em, entity }) => idsOf(await em().find(entity, {})),
  'find with filters off': async ({ em, entity }) => idsOf(await em().find(entity, {}, off)),
  'findAll with filters off': async ({ em, entity }) => idsOf(await em().findAll(entity, off)),
  'findAndCount with filters off': async ({ em, entity }) => {
    const [rows, count] = await em().findAndCount(entity, {}, off)
    assert.equal(count, rows.length)
    return idsOf(rows)
  },
  'findByCursor with filters off': async ({ em, entity }) =>
    idsOf((await em().findByCursor(entity, { first: 1_000, orderBy: { id: 'asc' }, ...off })).items),
  'populate, one query for each relation': async ({ em, entity, meta }) => {
    const populate = meta.relations.map(({ name }) => name) as never[]
    return idsOf(await em().find(entity, {}, { populate, strategy: 'select-in', ...off }))
  },
  'populate, joined': async ({ em, entity, meta }) => {
    const populate = meta.relations.map(({ name }) => name) as never[]
    return idsOf(await em().find(entity, {}, { populate, strategy: 'joined', ...off }))
  },
  'a stream': async ({ inside, entity, daybook }) => {
    const collect = () =>
      inside(async em => {
        const ids: string[] = []
        for await (const row of em.stream(entity, off)) ids.push((row as AnyEntity).id)
        return ids
      })
    if (!daybook.embedded) return collect()
    // The embedded database has no streams, and says so.
    await assert.rejects(collect, /can’t stream/)
    return collectWithout(entity, inside)
  },
  'a query builder': async ({ em, entity }) => idsOf(await em().createQueryBuilder(entity, 'e').select('*').getResultList()),
  'a query builder inside a transaction': async ({ inside, entity }) =>
    inside(async em => idsOf(await em.createQueryBuilder(entity, 'e').select('*').getResultList())),
  Kysely: async ({ inside, meta }) =>
    inside(async em => idsOf(await em.getKysely<Record<string, { id: string }>>().selectFrom(meta.tableName).select('id').execute())),
  'raw SQL': async ({ em, table }) => idsOf(await em().execute<{ id: string }[]>(`select id from ${table}`)),
  'raw SQL inside a transaction': async ({ inside, table }) =>
    inside(async em => idsOf(await em.execute<{ id: string }[]>(`select id from ${table}`))),
  'an aggregate in raw SQL': async ({ em, table }) => {
    const [row] = await em().execute<{ ids: string[] }[]>(`select array_agg(id::text) as ids from ${table}`)
    return row!.ids
  },
}

const collectWithout = (entity: Ground['entity'], inside: Ground['inside']) => inside(async em => idsOf(await em.find(entity, {}, off)))

/** Ways to ask for the other tenant's row by its id, each of which finds nothing. */
const lookups: Readonly<Record<string, (ground: Ground, id: string) => Promise<unknown>>> = {
  findOne: ({ em, entity }, id) => em().findOne(entity, { id }),
  'findOne with filters off': ({ em, entity }, id) => em().findOne(entity, { id }, off),
  'a reference that is loaded': async ({ em, entity }, id) => {
    const inner = em()
    return inner.findOne(entity, inner.getReference(entity, id), { refresh: true, ...off })
  },
  'count with filters off': async ({ em, entity }, id) => (await em().count(entity, { id }, off)) || null,
  'a query builder': async ({ em, entity }, id) => em().createQueryBuilder(entity, 'e').where({ id }).getSingleResult(),
  'raw SQL': async ({ em, table }, id) => (await em().execute<unknown[]>(`select 1 from ${table} where id = ?`, [id]))[0] ?? null,
}

export const readCases: Readonly<Record<string, (ground: Ground) => Promise<void>>> = {
  ...Object.fromEntries(Object.entries(reads).map(([name, read]) => [name, (ground: Ground) => seesOnlyOwn(ground, read)])),
  ...Object.fromEntries(
    Object.entries(lookups).map(([name, look]) => [
      `${name}, by id`,
      async (ground: Ground) => {
        assert.equal(await look(ground, ground.other.id), null, 'somebody else’s row was found')
        assert.notEqual(await look(ground, ground.own.id), null, 'the own row was not found')
      },
    ]),
  ),
}

async function seesOnlyOwn(ground: Ground, read: Read): Promise<void> {
  const ids = await read(ground)
  assert.ok(ids.includes(ground.own.id), 'the own row was not seen')
  assert.ok(!ids.includes(ground.other.id), 'somebody else’s row was seen')
  const [expected] = await ground.inside(em =>
    em.execute<{ count: number }[]>(`select count(*)::int as count from ${ground.table} where tenant_id = ?`, [ground.own.tenant]),
  )
  assert.equal(new Set(ids).size, expected!.count, 'rows of somebody else were seen')
}
