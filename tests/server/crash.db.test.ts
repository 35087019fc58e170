import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { openDaybook } from '../../src/open-daybook.ts'
import type { Daybook } from '../../src/orm/index.ts'
import { leaveMark } from '../../src/readers/horizon.ts'
import { replayProblems } from '../../src/readers/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { urlsOf } from '../../src/testing/test-database.ts'
import { administer, startCrashableServer } from '../../src/testing/test-server.ts'
import { entities, migrations } from '../audit/model.ts'

/** `npm run test:nightly` kills fifty processes, and stops a server ten times. */
const processes = Number(process.env.DAYBOOK_CRASHES ?? 5)
const servers = Math.max(1, processes / 5)

let database: TestDatabase
beforeAll(async () => {
  database = await openTestDatabase({ entities, migrations })
})
afterAll(() => database.daybook.close())

test(`log and tables agree after each of ${processes} processes was killed while it wrote`, { timeout: processes * 20_000 }, async () => {
  const tenant = newId()
  let events = 0
  for (let crash = 0; crash < processes; crash++) {
    const writer = await startWriter(database.urls!.app, tenant)
    await sleep(50 + Math.random() * 400)
    writer.kill('SIGKILL')
    await once(writer, 'exit')
    const found = await look(database.daybook, tenant)
    expect(found.problems).toEqual([])
    expect(found.events).toBeGreaterThan(events)
    events = found.events
  }
})

test(
  `log and tables agree after each of ${servers} servers stopped in the middle of writing`,
  { timeout: servers * 30_000 + 60_000 },
  async () => {
    const server = await startCrashableServer()
    try {
      await administer(server.url, 'create database durable')
      const { administrator } = urlsOf(server.url, 'durable')
      const url = administrator.replace('postgres:postgres@', 'daybook_app:app@')
      const [tenant, options] = [
        newId(),
        { databaseUrl: url, directUrl: administrator, entities, logQueries: false, environment: 'test' } as const,
      ]
      await (await openDaybook({ ...options, migrations, migrate: true })).close()
      let events = 0
      for (let crash = 0; crash < servers; crash++) {
        const writer = await startWriter(url, tenant)
        await sleep(100 + Math.random() * 300)
        await server.crash()
        writer.kill('SIGKILL')
        await using daybook = await openDaybook(options)
        const found = await look(daybook, tenant)
        expect(found.problems).toEqual([])
        expect(found.events).toBeGreaterThan(events)
        events = found.events
      }
    } finally {
      await server.stop()
    }
  },
)

test('a number up to which the log has settled isn’t given again after a crash', { timeout: 60_000 }, async () => {
  const server = await startCrashableServer()
  const writing = new pg.Client({ connectionString: server.url.replace(/postgres$/, 'marked') })
  writing.on('error', () => undefined)
  try {
    await administer(server.url, 'create database marked')
    const { administrator } = urlsOf(server.url, 'marked')
    const url = administrator.replace('postgres:postgres@', 'daybook_app:app@')
    const options = { databaseUrl: url, directUrl: administrator, entities, logQueries: false, environment: 'test' } as const
    await using daybook = await openDaybook({ ...options, migrations, migrate: true })
    const tenant = newId()
    const mark = () => daybook.transact({ tenant, actor: systemActor('test') }, leaveMark)
    // Pages that are touched for the first time are written to the journal as a whole.
    await mark()
    const [writer] = await administer(administrator, `select pid from pg_stat_activity where backend_type = 'walwriter'`)
    process.kill(Number(writer!.pid), 'SIGSTOP')
    await writing.connect()
    await writing.query(`begin; select set_config('daybook.tenant_id', '${tenant}', true)`)
    await writing.query(
      `select daybook_append((select json_agg(json_build_object('t', '${tenant}', 'y', 'test.late')) from generate_series(1, 100)))`,
    )
    const { seq } = await mark()
    await server.crash()
    const [given] = await administer(administrator, 'select last_value::int as last from audit_event_seq')
    expect(given!.last).toBeGreaterThanOrEqual(seq)
  } finally {
    await writing.end()
    await server.stop()
  }
})

async function startWriter(url: string, tenant: string): Promise<ChildProcess> {
  const writer = fork(join(import.meta.dirname, 'write-without-pause.ts'), [url, tenant], { stdio: 'inherit' })
  await once(writer, 'message')
  return writer
}

async function look(daybook: Daybook, tenant: string) {
  return daybook.transact({ tenant, actor: systemActor('test') }, async em => {
    const [row] = await em.execute<{ events: number }[]>('select count(*)::int as events from audit_event where tenant_id = ?', [tenant])
    return { events: row!.events, problems: await replayProblems(em) }
  })
}
