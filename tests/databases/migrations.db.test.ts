import { MikroORM } from '@mikro-orm/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { newId } from '../../src/kernel/id.ts'
import { modelWith } from '../../src/model.ts'
import { ownerOptions } from '../../src/open-daybook.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { administer } from '../../src/testing/test-server.ts'

/** The owner's work on a real schema; the embedded database runs the same migrations each time that it is opened. */
let database: TestDatabase
let owner: MikroORM

beforeAll(async () => {
  database = await openTestDatabase()
  const { urls } = database
  const env = urls ? { DATABASE_URL: urls.app, DIRECT_URL: urls.administrator } : { DAYBOOK_DATA_DIR: `.daybook/test-${process.pid}` }
  owner = await MikroORM.init(ownerOptions(modelWith(), { ...readConfig(env), logQueries: false }))
  owner.config.get('migrations').silent = true
})
afterAll(async () => {
  await owner.close()
  await database.daybook.close()
})

const tenant = newId()

/** The owner is bound by the policies as well. */
function asTenant<T>(work: (run: (sql: string) => Promise<T>) => Promise<T>): Promise<T> {
  const connection = owner.driver.getConnection()
  return connection.transactional(async transaction => {
    const run = (sql: string) => connection.execute(sql, [], 'all', transaction) as Promise<T>
    await run(`select set_config('daybook.tenant_id', '${tenant}', true)`)
    return work(run)
  })
}

/** Everything that the catalogue knows of our schema, in words that can be compared. */
async function catalogue(): Promise<unknown> {
  const run = (sql: string) => owner.driver.getConnection().execute(sql)
  return Promise.all(
    [
      `select table_name, column_name, data_type, datetime_precision, is_nullable, column_default from information_schema.columns where table_schema = 'public' order by 1, 2`,
      `select conrelid::regclass::text as t, conname, pg_get_constraintdef(oid) as def from pg_constraint where connamespace = 'public'::regnamespace order by 1, 2`,
      `select tablename, indexname, indexdef from pg_indexes where schemaname = 'public' order by 1, 2`,
      `select tablename, policyname, permissive, cmd, qual, with_check from pg_policies where schemaname = 'public' order by 1, 2`,
      `select tgrelid::regclass::text as t, tgname, tgenabled, pg_get_triggerdef(oid) as def from pg_trigger where not tgisinternal order by 1, 2`,
      `select proname, prosecdef, proowner::regrole::text as owner, proacl::text, prosrc from pg_proc where pronamespace = 'public'::regnamespace order by 1, prosrc`,
      `select relname, relrowsecurity, relforcerowsecurity, relowner::regrole::text as owner, relacl::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1`,
      `select key from permission order by 1`,
    ].map(run),
  )
}

test('from nothing and from every version the schema is what the entities declare', async () => {
  await owner.migrator.up()
  expect(await owner.schema.getUpdateSchemaSQL({ wrap: false })).toBe('')
})

test('down to nothing leaves nothing, and up again gives the same catalogue', async () => {
  const before = await catalogue()
  await owner.migrator.down({ to: 0 })
  const [left] = await owner.driver.getConnection().execute<{ tables: number; functions: number }[]>(
    `select (select count(*)::int from pg_tables where schemaname = 'public' and tablename <> 'mikro_orm_migrations') as tables,
            (select count(*)::int from pg_proc where pronamespace = 'public'::regnamespace) as functions`,
  )
  expect(left).toEqual({ tables: 0, functions: 0 })
  await owner.migrator.up()
  expect(await catalogue()).toEqual(before)
})

test.each(['Migration20261123000031_stoped', '20261123000031'])('a migration that isn’t there, %s, is refused, up and down', async name => {
  await owner.migrator.down()
  const before = await owner.migrator.getExecuted()
  const unknown = expect.objectContaining({ code: 'migration.unknown' }) as Error
  for (const options of [{ to: name }, name, [name], { from: name }]) {
    await expect(owner.migrator.up(options)).rejects.toThrow(unknown)
    await expect(owner.migrator.down(options)).rejects.toThrow(unknown)
  }
  expect(await owner.migrator.getExecuted()).toEqual(before)
  await owner.migrator.up()
})

test('nothing is taken back to a migration that wasn’t applied', async () => {
  const [{ name }] = (await owner.migrator.down()) as [{ name: string }]
  await expect(owner.migrator.down({ to: name })).rejects.toMatchObject({ code: 'migration.unknown' })
  await owner.migrator.up({ to: name })
  expect(await owner.migrator.getPending()).toEqual([])
})

test('what was used before days were counted is summed up when they are', async () => {
  const days = () =>
    asTenant(run =>
      run(`select id::text, day, metric, quantity::int, events::int, created_at, updated_at from usage_day order by day, metric`),
    )
  await asTenant(run =>
    run(`insert into usage_event (id, tenant_id, metric, quantity, request_id, occurred_at)
      select gen_random_uuid(), '${tenant}', (array['FIXES', 'AUDITS'])[1 + n % 2], n, n::text, timestamptz '2026-11-01' + n * interval '7 hours'
        from generate_series(1, 20) n`),
  )
  const counted = await days()
  expect(counted).toHaveLength(12)
  await owner.migrator.down({ to: 'Migration20261123000023_rules' })
  await owner.migrator.up()
  expect(await days()).toEqual(counted)
})

test('a run that was told to stop has failed for a version that knows no such runs', async () => {
  // Only the operator sees and writes runs; the owner is bound by the policies as well.
  const asOperator = (sql: string) => asTenant(async run => run('set local role daybook_operator').then(() => run(sql)))
  await asOperator(
    `insert into job_run (id, job, status, started_at, finished_at) values ('${newId()}', 'stopped', 'STOPPED', now(), now())`,
  )
  await owner.migrator.down({ to: 'Migration20261123000030_decided' })
  await owner.migrator.up()
  expect(await asOperator(`select status from job_run where job = 'stopped'`)).toEqual([{ status: 'FAILED' }])
})

test('the application’s role has the verbs that each entity declares, and no more', async () => {
  const rows: { table: string; verbs: string }[] = await owner.driver.getConnection().execute(
    `select table_name as table, string_agg(privilege_type, ',' order by privilege_type) as verbs
       from information_schema.role_table_grants where grantee = 'daybook_app' group by 1 order by 1`,
  )
  const verbs: Record<string, string> = Object.fromEntries(rows.map(row => [row.table, row.verbs]))
  expect(verbs.permission).toBe('SELECT')
  expect(verbs.mikro_orm_migrations).toBe('SELECT')
  expect(verbs.role).toBe('DELETE,INSERT,SELECT,UPDATE')
  expect(Object.values(verbs).join()).not.toMatch(/TRUNCATE|TRIGGER|REFERENCES/)
})

test('on a server the application’s role can’t truncate, create, or become somebody else', async () => {
  if (!database.urls) return
  for (const statement of [
    'truncate role',
    'create table mine (id int)',
    'create temporary table mine (id int)',
    'set role daybook_owner',
    'set role daybook_operator',
    'alter table role disable row level security',
  ]) {
    await expect(administer(database.urls.app, statement), statement).rejects.toMatchObject({ code: '42501' })
  }
})
