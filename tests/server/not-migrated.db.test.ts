import { execFile } from 'node:child_process'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { Task } from '../../src/entities.ts'
import { checkDatabaseHealth } from '../../src/helpers/index.ts'
import { daybookHost } from '../../src/http/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { openDaybook } from '../../src/open-daybook.ts'
import { type Daybook, refuseBrokenIsolation } from '../../src/orm/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { administer } from '../../src/testing/test-server.ts'

const empty = `daybook_empty_${newId().slice(-12)}`
let database: TestDatabase
let daybook: Daybook
const scope = { tenant: newId(), actor: systemActor('test') }
const inEmpty = (url: string) => Object.assign(new URL(url), { pathname: `/${empty}` }).href
const run = (args: string[], env: Record<string, string>) =>
  new Promise<{ code: number; output: string }>(resolve => {
    const child = execFile(process.execPath, args, { env: { PATH: process.env.PATH, ...env } }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode!, output: stdout + stderr }),
    )
  })

beforeAll(async () => {
  database = await openTestDatabase()
  await administer(database.urls!.administrator, `create database ${empty}`)
})
afterAll(async () => {
  await administer(database.urls!.administrator, `drop database ${empty} with (force)`)
  await database.daybook.close()
})
beforeEach(async () => {
  daybook = await openDaybook({ databaseUrl: inEmpty(database.urls!.app), logQueries: false, environment: 'test' })
})
afterEach(() => daybook.close())

const notMigrated = { code: 'database.not_migrated', message: expect.stringContaining('npx mikro-orm migration:up') }

test('whoever asks an empty database is told to migrate it, on whichever way', async () => {
  const ways: Record<string, () => Promise<unknown>> = {
    find: () => daybook.scope(scope).find(Task, {}),
    flush: async () => {
      const em = daybook.scope(scope)
      em.create(Task, { title: 'nowhere' })
      await em.flush()
    },
    transact: () => daybook.transact(scope, em => em.find(Task, {})),
    raw: () => daybook.transact(scope, em => em.execute('select id from task')),
    kysely: () =>
      daybook.transact(scope, em =>
        em
          .getKysely()
          .selectFrom('task' as never)
          .selectAll()
          .execute(),
      ),
    ask: () => daybook.ask(scope, [{ sql: 'select id from task', params: [] }]),
  }
  for (const [way, ask] of Object.entries(ways)) {
    const error: unknown = await ask().catch((caught: unknown) => caught)
    expect([way, error]).toEqual([way, expect.objectContaining(notMigrated)])
  }
})

test('what somebody has misspelled stays theirs', async () => {
  await expect(daybook.transact(scope, em => em.execute('select id from tusk'))).rejects.toMatchObject({ code: '42P01' })
})

test('a host refuses to serve it, a mounted one says so, and its health tells what waits', async () => {
  await expect(refuseBrokenIsolation(daybook)).rejects.toMatchObject(notMigrated)
  const host = daybookHost(daybook, { rateLimits: false, load: false })
  const answer = await host.inject({
    method: 'POST',
    url: '/auth/sign-in',
    payload: { email: 'a@b.example', password: 'a long enough one' },
  })
  expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([503, 'database.not_migrated'])
  await host.close()
  const { checks, pendingMigrations } = await checkDatabaseHealth(daybook)
  expect(checks).toMatchObject({ database: 'ok', migrations: 'pending' })
  expect(pendingMigrations.length).toBeGreaterThan(20)
})

test('the commands say how to migrate it, in words', async () => {
  const env = {
    DATABASE_URL: inEmpty(database.urls!.app),
    OPERATOR_URL: inEmpty(database.urls!.operator),
    DAYBOOK_MASTER_KEY: process.env.DAYBOOK_MASTER_KEY!,
    DB_LOG_QUERIES: 'off',
    PORT: '0',
  }
  for (const command of [['src/cli/serve.ts'], ['src/cli/audit.ts', 'verify']]) {
    const { code, output } = await run(command, env)
    expect([command, code]).toEqual([command, command.includes('verify') ? 2 : 1])
    expect(output).toContain('npx mikro-orm migration:up')
    expect(output).not.toMatch(/\n +at |table user_profile/)
  }
})

test('a database of a newer release is served, and that is said', async () => {
  const owner = new pg.Client(database.urls!.administrator)
  await owner.connect()
  await owner.query(`insert into mikro_orm_migrations (name) values ('Migration20991231000001_from_the_future')`)
  await owner.end()
  const env = { DATABASE_URL: database.urls!.app, DAYBOOK_MASTER_KEY: process.env.DAYBOOK_MASTER_KEY!, DB_LOG_QUERIES: 'off', PORT: '0' }
  const serving = execFile(process.execPath, ['src/cli/serve.ts'], { env: { PATH: process.env.PATH, ...env } })
  let output = ''
  for (const stream of [serving.stdout!, serving.stderr!]) stream.on('data', (text: string) => (output += text))
  await expect.poll(() => output, { timeout: 30_000 }).toContain('Daybook listens on')
  serving.kill('SIGKILL')
  expect(output).toContain('newer release, which this one doesn’t know: Migration20991231000001_from_the_future')
})
