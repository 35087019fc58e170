import { Migration } from '@mikro-orm/migrations'
import { expect, test } from 'vitest'
import { daybookHost } from '../../src/http/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { administer } from '../../src/testing/test-server.ts'
import { Caller, openTestHost } from './test-host.ts'

test('a host is live, and ready with what it looked at', async () => {
  await using on = await openTestHost()
  const caller = new Caller(on)
  expect((await caller.get('/health/live')).json()).toEqual({ status: 'live' })
  const ready = await caller.get('/health/ready')
  const database = on.daybook.embedded ? 'embedded' : 'server'
  const checks = { database: 'ok', migrations: 'ok', isolation: 'ok' }
  expect([ready.statusCode, ready.json()]).toEqual([200, { status: 'ready', database, checks }])
})

test('a host that knows a migration which the database lacks is not ready', async () => {
  await using on = await openTestHost({ readinessCacheMs: 0 })
  class Migration99991231235959 extends Migration {
    override up(): void {}
  }
  on.daybook.orm.config.get('migrations').migrationsList!.push({ name: 'Migration99991231235959', class: Migration99991231235959 })
  const answer = await new Caller(on).get('/health/ready')
  expect([answer.statusCode, answer.json().checks]).toEqual([503, { database: 'ok', migrations: 'pending', isolation: 'ok' }])
})

test('a host whose isolation was broken since it started is not ready, and tells nobody how', async () => {
  await using database = await openTestDatabase()
  const host = daybookHost(database.daybook, { rateLimits: false, readinessCacheMs: 0 })
  const caller = new Caller({ host })
  expect((await caller.get('/health/ready')).statusCode).toBe(200)
  await asOwner(database, 'drop policy "tenant" on "role"')
  const answer = await caller.get('/health/ready')
  expect([answer.statusCode, answer.json().checks]).toEqual([503, { database: 'ok', migrations: 'ok', isolation: 'failed' }])
  expect(answer.body).not.toContain('policy')
  await host.close()
})

test('a host whose database is gone is live and not ready', async () => {
  const { daybook } = await openTestDatabase()
  const host = daybookHost(daybook, { rateLimits: false })
  await host.ready()
  await daybook.close()
  const answer = await new Caller({ host }).get('/health/ready')
  expect([answer.statusCode, answer.json().checks]).toEqual([503, { database: 'failed', migrations: 'failed', isolation: 'failed' }])
  expect((await new Caller({ host }).get('/health/live')).statusCode).toBe(200)
  await host.close()
})

test('a thousand looks at readiness cost the database one', async () => {
  await using on = await openTestHost({ readinessCacheMs: 60_000 })
  const connection = on.daybook.orm.driver.getConnection()
  let statements = 0
  const execute = connection.execute.bind(connection)
  Object.assign(connection, { execute: (...args: Parameters<typeof execute>) => (statements++, execute(...args)) })
  await Promise.all(Array.from({ length: 1000 }, () => new Caller(on).get('/health/ready')))
  expect(statements).toBeGreaterThan(0)
  expect(statements).toBeLessThan(10)
})

/** The embedded database has one connection, whose role the application took on and can put down. */
async function asOwner({ urls, daybook }: TestDatabase, sql: string): Promise<void> {
  if (urls) return void (await administer(urls.administrator, sql))
  for (const statement of ['reset role', sql, 'set role daybook_app']) await daybook.orm.driver.getConnection().execute(statement)
}
