import { type EntityMetadata, ReferenceKind } from '@mikro-orm/core'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { isTenantOwned, type ScopedEntityManager, tablesOf } from '../../src/orm/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { newcomerOf } from './crowd.ts'
import { nodesOf, type PlanNode } from './watched-plans.ts'

const tenant = newId()
let database: TestDatabase
let tables: readonly EntityMetadata[]
let growing: ReadonlySet<string>

/** Of a tenant that came since, statistics say that it has no row: each index that starts with the tenant looks as good as the right one. */
beforeAll(async () => {
  database = await openTestDatabase()
  const storage = database.daybook.orm.getMetadata()
  const crowd = newcomerOf(storage, tenant)
  const administrator = new pg.Client({ connectionString: database.urls!.administrator })
  await administrator.connect()
  for (const statement of crowd.statements) await administrator.query(statement)
  await administrator.end()
  growing = crowd.growing
  tables = tablesOf(storage).filter(meta => isTenantOwned(meta) && growing.has(meta.tableName) && meta.properties.id)
}, 600_000)
afterAll(() => database[Symbol.asyncDispose]())

interface Ran extends PlanNode {
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
}

const transact = <T>(work: (em: ScopedEntityManager) => Promise<T>) =>
  database.daybook.transact({ tenant, actor: systemActor('test') }, work)

/** How many of a table's rows the server looked at in order to answer. */
async function lookedAt(em: ScopedEntityManager, { tableName }: EntityMetadata, rest: string): Promise<number> {
  const sql = `explain (analyze, format json) select * from "${tableName}" t where t.tenant_id = '${tenant}' ${rest}`
  const [row] = await em.execute<{ 'QUERY PLAN': [{ Plan: Ran }] }[]>(sql)
  const leaves = nodesOf(row!['QUERY PLAN'][0].Plan).filter(({ Plans }) => !Plans) as Ran[]
  return Math.max(...leaves.map(node => (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']))
}

test('every table that grows has many of its rows', async () => {
  expect(tables.length).toBeGreaterThan(30)
  await transact(async em => {
    for (const { tableName } of tables) {
      const [row] = await em.execute<{ rows: number }[]>(`select count(*)::int as rows from "${tableName}"`)
      expect([tableName, row!.rows >= 1_000]).toEqual([tableName, true])
    }
  })
})

test('one row is found by its id', async () => {
  await transact(async em => {
    for (const meta of tables) {
      const [row] = await em.execute<{ id: string }[]>(`select id from "${meta.tableName}" limit 1`)
      expect([meta.tableName, await lookedAt(em, meta, `and t.id = '${row!.id}'`)]).toEqual([meta.tableName, 1])
    }
  })
})

test('a page in the order of ids is all that is looked at', async () => {
  await transact(async em => {
    for (const meta of tables) expect([meta.tableName, await lookedAt(em, meta, 'order by t.id limit 51')]).toEqual([meta.tableName, 51])
  })
})

test('what names another row is found by it', async () => {
  await transact(async em => {
    for (const meta of tables) {
      for (const column of foreignKeysOf(meta)) {
        const few = `select "${column}" as id, count(*)::int as rows from "${meta.tableName}" where "${column}" is not null group by 1 order by 2 limit 1`
        const [named] = await em.execute<{ id: string; rows: number }[]>(few)
        expect([meta.tableName, column, await lookedAt(em, meta, `and t."${column}" = '${named!.id}'`)]).toEqual([
          meta.tableName,
          column,
          named!.rows,
        ])
      }
    }
  })
})

function foreignKeysOf(meta: EntityMetadata): string[] {
  return meta.relations
    .filter(({ kind, owner }) => kind === ReferenceKind.MANY_TO_ONE || (kind === ReferenceKind.ONE_TO_ONE && owner))
    .map(({ fieldNames }) => fieldNames[0]!)
}
