import { defineConfig, type EntityManager, MikroORM } from '@mikro-orm/postgresql'
import { randomBytes } from 'node:crypto'
import { systemActor } from '../src/context/index.ts'
import { newId } from '../src/kernel/id.ts'
import { newKey } from '../src/kernel/keyring.ts'
import { openDaybook } from '../src/open-daybook.ts'
import type { Daybook, ScopedEntityManager } from '../src/orm/index.ts'
import { passwords, urlsOf } from '../src/testing/test-database.ts'
import { administer } from '../src/testing/test-server.ts'
import { startBenchServer } from './bench-server.ts'
import { benchEntities, benchMigrations, PlainSchema } from './model.ts'

/** One database in which both sides work: Daybook's model, and a plain table that stock MikroORM writes over plain `pg`. */
export interface Ground extends AsyncDisposable {
  readonly origin: string
  readonly tenant: string
  readonly daybook: Daybook
  /** A fresh unit of work, as each request would take one. */
  readonly scope: () => ScopedEntityManager
  readonly transact: <T>(work: (em: ScopedEntityManager) => Promise<T>) => Promise<T>
  readonly stock: () => EntityManager
  /** For hosts that are processes of their own: as the application, and as the administrator. */
  readonly urls: ReturnType<typeof urlsOf>
  readonly masterKey: string
  /** Statements of the administrator, whom nothing binds. */
  readonly administer: (...statements: string[]) => Promise<Record<string, unknown>[]>
}

export async function openGround(): Promise<Ground> {
  const server = await startBenchServer()
  const name = `daybook_bench_${randomBytes(6).toString('hex')}`
  await administer(server.url, `create database ${name}`)
  const urls = urlsOf(server.url, name)
  const masterKey = newKey().toString('base64')
  const daybook = await openBenchDaybook(urls, masterKey)
  const stock = await openStock(urls.administrator)
  await settle(urls.administrator)
  const tenant = newId()
  const input = { tenant, actor: systemActor('bench'), requestId: newId(), correlationId: newId() }
  return {
    origin: server.origin,
    tenant,
    daybook,
    scope: () => daybook.scope(input),
    transact: work => daybook.transact(input, work),
    stock: () => stock.em.fork(),
    urls,
    masterKey,
    administer: (...statements) => administer(urls.administrator, ...statements),
    [Symbol.asyncDispose]: async () => {
      await stock.close()
      await daybook.close()
      await administer(server.url, `drop database ${name} with (force)`)
      await server.stop()
    },
  }
}

async function openBenchDaybook(urls: ReturnType<typeof urlsOf>, masterKey: string): Promise<Daybook> {
  const options = {
    entities: benchEntities,
    migrations: benchMigrations,
    logQueries: false,
    environment: 'test',
    masterKeys: [masterKey],
  } as const
  const databaseUrl = urls.app
  // The first opening makes the roles; on a server that had them, they may have other passwords.
  await (await openDaybook({ ...options, databaseUrl: urls.administrator, directUrl: urls.administrator, migrate: true })).close()
  const known = Object.entries(passwords).map(([role, password]) => `alter role ${role} password '${password}'`)
  await administer(urls.administrator, ...known)
  return openDaybook({ ...options, databaseUrl })
}

async function openStock(clientUrl: string): Promise<MikroORM> {
  const orm = await MikroORM.init(defineConfig({ clientUrl, entities: [PlainSchema], debug: false }))
  const sql = await orm.schema.getCreateSchemaSQL({ wrap: false })
  for (const statement of sql.split(/;\n/)) if (statement.includes('"plain_item"')) await orm.driver.getConnection().execute(statement)
  return orm
}

/** The tables as they are in use: with rows of other tenants, and known to the planner. Neither side has events of those. */
async function settle(administrator: string): Promise<void> {
  const row = `gen_random_uuid() as id, md5((n % 20)::text)::uuid as tenant_id, 'An item of ordinary length, number ' || n as title, 'NEW' as status,
    n as quantity, n + 0.5 as price, n % 2 = 0 as is_open, date '2027-03-01' as due_on, now() as seen_at, 'Some words that somebody wrote down.' as notes`
  const columns = 'id, tenant_id, title, status, quantity, price, is_open, due_on, seen_at, notes'
  const fill = (table: string) => `insert into ${table} (${columns}) select ${row} from generate_series(1, 100000) as n`
  await administer(
    administrator,
    `set session_replication_role = replica`,
    ...['item', 'unwatched', 'plain_item'].map(fill),
    'vacuum analyze',
  )
}
