import assert from 'node:assert/strict'
import { newId } from '../kernel/id.ts'
import { type Ground, type Json, leavesOtherAlone } from './isolation-ground.ts'

type Attempt = (ground: Ground) => Promise<unknown>
const off = { filters: false } as const

/** Writes that name the other tenant's row, and must reach no row at all. */
const reachNothing: Readonly<Record<string, Attempt>> = {
  nativeUpdate: ({ em, entity, other }) => em().nativeUpdate(entity, { id: other.id }, { updatedAt: new Date(0) } as never),
  'nativeUpdate with filters off': ({ em, entity, other }) =>
    em().nativeUpdate(entity, { id: other.id }, { updatedAt: new Date(0) } as never, off),
  nativeDelete: ({ em, entity, other }) => em().nativeDelete(entity, { id: other.id }),
  'nativeDelete with filters off': ({ em, entity, other }) => em().nativeDelete(entity, { id: other.id }, off),
  'update by query builder': async ({ em, entity, other }) =>
    (
      await em()
        .createQueryBuilder(entity)
        .update({ updatedAt: new Date(0) } as never)
        .where({ id: other.id })
        .execute('run')
    ).affectedRows,
  'delete by query builder': async ({ em, entity, other }) =>
    (await em().createQueryBuilder(entity).delete({ id: other.id }).execute('run')).affectedRows,
  'update by Kysely': async ({ inside, meta, other }) =>
    inside(async em => {
      const kysely = em.getKysely<Record<string, Json>>()
      const { numUpdatedRows } = await kysely
        .updateTable(meta.tableName)
        .set({ updated_at: new Date(0) })
        .where('id', '=', other.id)
        .executeTakeFirst()
      return Number(numUpdatedRows)
    }),
  'delete by Kysely': async ({ inside, meta, other }) =>
    inside(async em => {
      const { numDeletedRows } = await em
        .getKysely<Record<string, Json>>()
        .deleteFrom(meta.tableName)
        .where('id', '=', other.id)
        .executeTakeFirst()
      return Number(numDeletedRows)
    }),
  'update in raw SQL': async ({ em, table, other }) =>
    (await em().execute<unknown[]>(`update ${table} set updated_at = now() where id = ? returning 1`, [other.id])).length,
  'delete in raw SQL': async ({ em, table, other }) =>
    (await em().execute<unknown[]>(`delete from ${table} where id = ? returning 1`, [other.id])).length,
}

/** Writes that would put a row into the other tenant, or take its place there, and must be refused. */
const refused: Readonly<Record<string, Attempt>> = {
  'flush of a new row': ({ inside, entity, newData, other }) =>
    inside(async em => void em.create(entity, { ...(await newData(em)), tenantId: other.tenant } as never)),
  'flush of a row that is moved': ({ inside, entity, own, other }) =>
    inside(async em => {
      const row = await em.findOneOrFail(entity, own.id)
      row.tenantId = other.tenant
    }),
  insert: ({ inside, entity, newData, other }) =>
    inside(async em => em.insert(entity, { ...stamped(await newData(em)), tenantId: other.tenant })),
  insertMany: ({ inside, entity, newData, other }) =>
    inside(async em => em.insertMany(entity, [{ ...stamped(await newData(em)), tenantId: other.tenant }])),
  'upsert of a new row': ({ inside, entity, newData, other }) =>
    inside(async em => em.upsert(entity, { ...stamped(await newData(em)), tenantId: other.tenant })),
  'upsert onto the other’s row': ({ inside, entity, newData, own, other }) =>
    inside(async em => em.upsert(entity, { ...stamped(await newData(em)), id: other.id, tenantId: own.tenant })),
  'upsertMany onto the other’s row': ({ inside, entity, newData, own, other }) =>
    inside(async em => em.upsertMany(entity, [{ ...stamped(await newData(em)), id: other.id, tenantId: own.tenant } as never])),
  'insert in raw SQL': async ({ em, table, newJson, other }) => insertJson(em(), table, { ...(await newJson()), tenant_id: other.tenant }),
  'insert by Kysely': async ({ inside, meta, newJson, other }) => {
    const { id, created_at, updated_at } = await newJson()
    return inside(em =>
      em
        .getKysely<Record<string, Json>>()
        .insertInto(meta.tableName)
        .values({ id, created_at, updated_at, tenant_id: other.tenant })
        .execute(),
    )
  },
  'move in raw SQL': ({ em, table, own, other }) => em().execute(`update ${table} set tenant_id = ? where id = ?`, [other.tenant, own.id]),
  'a new id in raw SQL': ({ em, table, own }) => em().execute(`update ${table} set id = ? where id = ?`, [newId(), own.id]),
}

/** Writes without a where: they reach the own rows alone. */
const blanket: Readonly<Record<string, Attempt>> = {
  'nativeUpdate of everything': ({ em, entity }) => em().nativeUpdate(entity, {}, { updatedAt: new Date() } as never, off),
  'update of everything in raw SQL': ({ em, table }) => em().execute(`update ${table} set updated_at = now()`),
}

export const reachingCases: Readonly<Record<string, (ground: Ground) => Promise<void>>> = Object.fromEntries(
  Object.entries(reachNothing).map(([name, attempt]) => [
    name,
    (ground: Ground) =>
      leavesOtherAlone(ground, async () => {
        assert.equal(await attempt(ground).catch(nothingWhereDenied(ground)), 0, 'a row was reached')
      }),
  ]),
)

export const writeCases: Readonly<Record<string, (ground: Ground) => Promise<void>>> = {
  ...reachingCases,
  ...Object.fromEntries(
    Object.entries(refused).map(([name, attempt]) => [
      name,
      (ground: Ground) =>
        leavesOtherAlone(ground, async () => {
          const before = await ground.own.stored()
          await assert.rejects(() => attempt(ground), 'it was not refused')
          assert.deepEqual(await ground.own.stored(), before, 'the own row has changed')
        }),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(blanket).map(([name, attempt]) => [
      name,
      (ground: Ground) => leavesOtherAlone(ground, () => attempt(ground).catch(nothingWhereDenied(ground))),
    ]),
  ),
}

/** Of rows that are only ever added, an update or delete is denied before it reaches any. */
export function nothingWhereDenied({ mayRewrite }: Ground) {
  return (error: unknown) => {
    if (!mayRewrite && (error as { code?: string }).code === '42501') return 0
    throw error
  }
}

export function insertJson(em: { execute(sql: string, params: unknown[]): Promise<unknown> }, table: string, row: Json): Promise<unknown> {
  const columns = Object.keys(row)
    .map(column => `"${column}"`)
    .join(', ')
  return em.execute(`insert into ${table} (${columns}) select ${columns} from jsonb_populate_record(null::${table}, ?::jsonb)`, [
    JSON.stringify(row),
  ])
}

/** Native inserts fill in nothing. */
function stamped(data: Json): Json {
  return { createdAt: new Date(), updatedAt: new Date(), ...data }
}
