import { readFile } from 'node:fs/promises'
import type { Migration } from '@mikro-orm/migrations'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrations } from '../../migrations/index.ts'
import { type EmbeddedDatabase, openEmbeddedDatabase, ownerRole, prepareRoles } from '../../src/orm/index.ts'

const page = await readFile('docs/deploying.md', 'utf8')
const first = 'Migration20261123000009_indexes'

interface Held {
  /** Tables that were there and can't be written meanwhile, and those that can't be read either. */
  readonly writers: readonly string[]
  readonly readers: readonly string[]
}

const rows = [...page.matchAll(/^\| `(Migration\d+_\w+)` \|(.*?)\|(.*?)\|/gm)]
const namesIn = (cell: string) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name!)
const told = new Map(rows.map(([, name, writers, readers]) => [name!, { writers: namesIn(writers!), readers: namesIn(readers!) }]))

let database: EmbeddedDatabase
beforeAll(async () => {
  database = await openEmbeddedDatabase()
  await prepareRoles(query)
  await database.pglite.exec(`set role ${ownerRole}`)
})
afterAll(() => database.close())

const query = async (sql: string) => (await database.pglite.query<Record<string, string>>(sql)).rows

const filesSql = `select oid::text as oid, relfilenode::text as file, regexp_replace(relname, '^(audit_event)_.*', '\\1') as name
  from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace`

/** Runs a migration in a transaction, as `migration:up` does, and asks what it holds before the transaction ends. */
async function heldBy(migration: Migration): Promise<Held & { readonly rewritten: readonly string[] }> {
  const before = new Map((await query(filesSql)).map(row => [row.oid!, row]))
  await database.pglite.exec('begin')
  await migration.up()
  for (const sql of migration.getQueries()) await database.pglite.exec(sql as string)
  const locks = (await query(`select relation::text as oid, mode from pg_locks where granted`)).filter(({ oid }) => before.has(oid!))
  const inMode = (...modes: string[]) =>
    [...new Set(locks.filter(({ mode }) => modes.includes(mode!)).map(({ oid }) => before.get(oid!)!.name!))].toSorted()
  const readers = inMode('AccessExclusiveLock')
  const writers = inMode('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock').filter(name => !readers.includes(name))
  const rewritten = (await query(filesSql)).filter(({ oid, file }) => before.has(oid!) && before.get(oid!)!.file !== file)
  await database.pglite.exec('commit')
  return { writers, readers, rewritten: rewritten.map(({ name }) => name!) }
}

test('the page says of each migration which tables it locks, and none rewrites one', { timeout: 120_000 }, async () => {
  const found = new Map<string, Held>()
  for (const { name, class: Made } of migrations) {
    const unused = {} as never
    const { rewritten, ...held } = await heldBy(new Made(unused, unused) as Migration)
    expect([name, rewritten]).toEqual([name, []])
    found.set(name, held)
  }
  const locking = [...found].filter(([name, { writers, readers }]) => name >= first && writers.length + readers.length > 0)
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(locking))
  const earlier = [...found]
    .filter(([name]) => name > 'Migration20261122' && name < first)
    .flatMap(([, held]) => [...held.writers, ...held.readers])
  const sentence = /keep writers of (.+) waiting/.exec(page)![1]!
  expect([...new Set(earlier)].toSorted()).toEqual(namesIn(sentence))
})
