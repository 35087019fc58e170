import { MikroORM } from '@mikro-orm/core'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { modelWith } from '../../src/model.ts'
import { ownerOptions } from '../../src/open-daybook.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { administer } from '../../src/testing/test-server.ts'

let database: TestDatabase
const open: MikroORM[] = []

beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(async () => {
  for (const orm of open) await orm.close()
  await database.daybook.close()
})

async function owner(waitMs?: number): Promise<MikroORM> {
  const { app, administrator } = database.urls!
  const config = { ...readConfig({ DATABASE_URL: app, DIRECT_URL: administrator }), logQueries: false }
  const orm = await MikroORM.init(ownerOptions({ ...modelWith(), ...(waitMs !== undefined && { migrationWaitMs: waitMs }) }, config))
  orm.config.get('migrations').silent = true
  open.push(orm)
  return orm
}

test('two migrations at once: one waits for the other, and both end well', async () => {
  const [one, two] = [await owner(), await owner()]
  await one.migrator.down({ to: 0 })
  const applied = await Promise.all([one.migrator.up(), two.migrator.up()])
  expect(applied.map(({ length }) => length).toSorted((a, b) => a - b)).toEqual([0, modelWith().migrations.length])
})

test('a lock that is held too long is reported with who holds it', async () => {
  const holder = new pg.Client({ connectionString: database.urls!.administrator })
  await holder.connect()
  try {
    await holder.query('begin')
    await holder.query(`select pg_advisory_xact_lock(1684109666)`)
    const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid')
    const attempt = (await owner(400)).migrator.up()
    await expect(attempt).rejects.toMatchObject({
      code: 'migration.running',
      message: expect.stringContaining(`process ${rows[0]!.pid}, role postgres`),
    })
  } finally {
    await holder.end()
  }
})

test('who works while a database is migrated keeps every right', async () => {
  const { administrator, app } = database.urls!
  await administer(
    administrator,
    `create function linger() returns event_trigger language plpgsql as $$ begin perform pg_sleep(0.02); end $$`,
    `create event trigger linger on ddl_command_start when tag in ('GRANT') execute function linger()`,
  )
  const working = new pg.Client({ connectionString: app })
  await working.connect()
  try {
    const migrated = new AbortController()
    const migrating = (await owner()).migrator.up().finally(() => migrated.abort())
    const refusals: unknown[] = []
    while (!migrated.signal.aborted)
      await working.query('select from organization, task, audit_event limit 0').catch((error: Error) => refusals.push(error.message))
    await migrating
    expect(refusals).toEqual([])
  } finally {
    await working.end()
    await administer(administrator, 'drop event trigger linger', 'drop function linger()')
  }
})
