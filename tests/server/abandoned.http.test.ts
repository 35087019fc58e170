import { request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { userActor } from '../../src/context/index.ts'
import { Task } from '../../src/domain/work/index.ts'
import { daybookHost } from '../../src/http/index.ts'
import { type TransactionReport, transactionReports } from '../../src/orm/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { Caller, cookieIn, signUp } from '../http/test-host.ts'

let database: TestDatabase
let host: FastifyInstance
let organization: string
let user: string
let task: string
let cookie: string
let locker: pg.Client
/** Inside a transaction the server shows the same activity again and again. */
let watcher: pg.Client

beforeAll(async () => {
  database = await openTestDatabase({ poolMax: 2 })
  host = daybookHost(database.daybook, { rateLimits: false, load: false })
  await host.listen({ host: '127.0.0.1', port: 0 })
  const on = { daybook: database.daybook, host, mails: [], log: [], routes: [], [Symbol.asyncDispose]: () => host.close() }
  const ann = await signUp(on, 'ann@acme.example', 'Acme')
  cookie = cookieIn(await new Caller(on).signIn('ann@acme.example'))
  ;[organization, user] = [ann.organization, ann.user]
  task = (await ann.caller.post('/organizations/current/tasks', { title: 'as it was' })).json<{ id: string }>().id
  locker = new pg.Client(database.urls!.administrator)
  watcher = new pg.Client(database.urls!.administrator)
  await Promise.all([locker.connect(), watcher.connect()])
})
afterAll(async () => {
  await Promise.all([locker.end(), watcher.end()])
  await host.close()
  await database.daybook.close()
})

/** A request over a real connection, which can be cut. */
function change(title: string) {
  const { port } = host.server.address() as AddressInfo
  const headers = { cookie, 'content-type': 'application/json', 'if-match': '*' }
  const request = send({ port, host: '127.0.0.1', method: 'PATCH', path: `/organizations/current/tasks/${task}`, headers })
  request.on('error', () => {})
  request.end(JSON.stringify({ title }))
  return request
}

const title = () =>
  database.daybook.transact({ tenant: organization, actor: userActor(user) }, async em => (await em.findOneOrFail(Task, task)).title)
const sessions = async () =>
  (
    await watcher.query<{ state: string }>(
      `select state from pg_stat_activity where datname = current_database() and usename = 'daybook_app' and state <> 'idle'`,
    )
  ).rows.map(({ state }) => state)

test('a request whose client has gone leaves its lock, its connection and nothing else', async () => {
  await locker.query('begin')
  await locker.query('select 1 from task where id = $1 for update', [task])
  const request = change('never')
  await expect.poll(sessions).toEqual(['active'])
  const cutAt = performance.now()
  request.destroy()
  await expect.poll(sessions, { interval: 10 }).toEqual([])
  expect(performance.now() - cutAt).toBeLessThan(1_000)
  await expect.poll(() => database.daybook.pool, { interval: 10 }).toMatchObject({ waiting: 0 })
  expect(database.daybook.pool!.idle).toBe(database.daybook.pool!.size)
  await locker.query('rollback')
  expect(await title()).toBe('as it was')
})

test('a request that waits for a connection when its client goes never begins', async () => {
  await locker.query('begin')
  await locker.query('select 1 from task where id = $1 for update', [task])
  const holding = [change('first'), change('second')]
  await expect.poll(sessions).toEqual(['active', 'active'])
  const waiting = change('third')
  await expect.poll(() => database.daybook.pool!.waiting).toBe(1)
  waiting.destroy()
  await sleep(50)
  await locker.query('rollback')
  const answers = await Promise.all(holding.map(async request => ((await once(request, 'response')) as [{ statusCode: number }])[0]))
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200])
  await expect.poll(sessions).toEqual([])
  expect(await title()).not.toBe('third')
})

test('what has been committed stays, however soon the client goes', async () => {
  const changed = change('kept')
  const [answer] = (await once(changed, 'response')) as [{ statusCode: number }]
  changed.destroy()
  expect(answer.statusCode).toBe(200)
  expect(await title()).toBe('kept')
})

test(
  'forty clients that go at any moment harm nobody: each change is whole or absent, and nobody else is stopped',
  { timeout: 60_000 },
  async () => {
    const outcomes: string[] = []
    const note = (report: unknown) => void outcomes.push((report as TransactionReport).outcome)
    transactionReports.subscribe(note)
    const bystander = async () => {
      for (let look = 0; look < 60; look++) {
        await database.daybook.transact({ tenant: organization, actor: userActor(user) }, em => em.execute('select pg_sleep(0.005)'))
      }
    }
    const leaving = async () => {
      for (let each = 0; each < 40; each++) {
        const request = change(`attempt ${each}`)
        await sleep(Math.random() * 25)
        request.destroy()
      }
    }
    await Promise.all([bystander(), leaving()])
    await expect.poll(() => database.daybook.pool).toMatchObject({ waiting: 0 })
    await expect.poll(sessions).toEqual([])
    transactionReports.unsubscribe(note)
    expect(outcomes.filter(outcome => outcome === 'abandoned').length).toBeGreaterThan(0)
    expect(outcomes.filter(outcome => outcome === 'rolled_back')).toEqual([])
    const { rows } = await locker.query<{ told: string; kept: string }>(
      `select e.after ->> 'title' as told, t.title as kept from task t join audit_event e on e.entity_id = t.id
     where t.id = $1 and e.after ->> 'title' is not null order by e.seq desc limit 1`,
      [task],
    )
    expect(rows[0]!.told).toBe(rows[0]!.kept)
  },
)
