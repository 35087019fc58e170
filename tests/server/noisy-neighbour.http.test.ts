import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { daybookHost } from '../../src/http/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { Caller, cookieIn, password, type SignedUp, signUp, type TestHost } from '../http/test-host.ts'

const poolMax = 4
let database: TestDatabase
let host: FastifyInstance
let loud: SignedUp
let quiet: SignedUp
let program: Caller
let task: string
let locker: pg.Client

beforeAll(async () => {
  database = await openTestDatabase({ poolMax })
  host = daybookHost(database.daybook, { rateLimits: false, load: { eventLoopDelayMs: 0, heapUsed: 0 } })
  await host.listen({ host: '127.0.0.1', port: 0 })
  const on: TestHost = { daybook: database.daybook, host, mails: [], log: [], routes: [], [Symbol.asyncDispose]: () => host.close() }
  loud = await signUp(on, 'ann@loud.example', 'Loud')
  quiet = await signUp(on, 'bob@quiet.example', 'Quiet')
  task = (await loud.caller.post('/organizations/current/tasks', { title: 'as it was' })).json<{ id: string }>().id
  const key = { name: 'k', environment: 'LIVE', scopes: ['task:manage', 'audit-event:read', 'audit-event:export'] }
  const { secret } = (await loud.caller.post('/organizations/current/api-keys', key)).json<{ secret: string }>()
  program = new Caller(on, { authorization: `Bearer ${secret}` })
  locker = new pg.Client(database.urls!.administrator)
  await locker.connect()
})
afterAll(async () => {
  await locker.end()
  await host.close()
  await database.daybook.close()
})

let noises = 0
let held: Promise<LightMyRequestResponse>[] = []
const letGo = async () => {
  await locker.query('rollback')
  return (await Promise.all(held)).map(({ statusCode }) => statusCode)
}
afterEach(letGo)

/** So many requests that wait for a row which somebody else has locked. */
async function makeNoise(count: number, caller = program): Promise<void> {
  await locker.query('begin')
  await locker.query('select 1 from task where id = $1 for update', [task])
  held = Array.from({ length: count }, () =>
    caller.call('PATCH', `/organizations/current/tasks/${task}`, {
      payload: { title: `louder ${noises++}` },
      headers: { 'if-match': '*' },
    }),
  )
  // Half of the pool waits for the lock, and all else for the tenant's share.
  await expect.poll(waitingForLock).toBe(poolMax / 2)
}

async function waitingForLock(): Promise<number> {
  await locker.query('select pg_stat_clear_snapshot()')
  const { rows } = await locker.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  )
  return rows[0]!.count
}

test('while one tenant waits for a lock with all that it has, another is answered at once', async () => {
  await makeNoise(3 * poolMax)
  for (const path of ['tasks', 'tasks', 'projects']) {
    expect((await quiet.caller.get(`/organizations/current/${path}`)).statusCode).toBe(200)
  }
  expect((await quiet.caller.post('/organizations/current/tasks', { title: 'undisturbed' })).statusCode).toBe(201)
  expect(await waitingForLock()).toBe(poolMax / 2)
  expect(database.daybook.pool).toMatchObject({ max: poolMax, waiting: 0 })
  expect(await letGo()).toEqual(Array.from({ length: 3 * poolMax }, () => 200))
})

test('people who are members have the tenant’s share, and strangers learn nothing of it', async () => {
  await makeNoise(3 * poolMax, loud.caller)
  expect((await quiet.caller.get(`/organizations/${loud.organization}/tasks`)).statusCode).toBe(404)
  expect((await quiet.caller.get('/organizations/current/tasks')).statusCode).toBe(200)
  expect(new Set(await letGo())).toEqual(new Set([200]))
})

test('who waits too long for their own tenant’s requests is told when to come back', async () => {
  await makeNoise(poolMax)
  const read = await program.get('/organizations/current/tasks')
  expect([read.statusCode, read.json().code, read.headers['retry-after']]).toEqual([429, 'http.tenant_busy', '5'])
  expect((await quiet.caller.get('/organizations/current/tasks')).statusCode).toBe(200)
})

test('who listens stays through it, and hears what came of it', async () => {
  const cookie = cookieIn(await loud.caller.signIn('ann@loud.example'))
  const { port } = host.server.address() as AddressInfo
  const leave = new AbortController()
  const { body } = await fetch(`http://127.0.0.1:${port}/organizations/current/events/live`, { headers: { cookie }, signal: leave.signal })
  const heard = body!.pipeThrough(new TextDecoderStream()).getReader()
  expect((await heard.read()).value).toContain('listening')
  await makeNoise(poolMax)
  expect((await program.get('/organizations/current/tasks')).statusCode).toBe(429)
  await letGo()
  let text = ''
  while (!text.includes('task.updated')) text += (await heard.read()).value ?? expect.fail('it ended')
  leave.abort()
})

test('while many who sign up wait with all that strangers have, whoever is in is answered at once', async () => {
  await locker.query('begin')
  await locker.query('lock table organization in share row exclusive mode')
  held = Array.from({ length: 2 * poolMax }, (_, index) =>
    new Caller({ host }).post('/auth/sign-up', { email: `new${index}@b.example`, password, organization: { name: `New ${index}` } }),
  )
  await expect.poll(waitingForLock, { timeout: 4_000 }).toBe(poolMax / 2)
  expect((await quiet.caller.get('/organizations/current/tasks')).statusCode).toBe(200)
  expect(await waitingForLock()).toBe(poolMax / 2)
  expect(await letGo()).toEqual(Array.from({ length: 2 * poolMax }, () => 201))
})

test('nobody who has gone keeps a place', async () => {
  const cookie = cookieIn(await loud.caller.signIn('ann@loud.example'))
  const { port } = host.server.address() as AddressInfo
  await makeNoise(poolMax)
  const gone = Array.from({ length: 20 }, () =>
    fetch(`http://127.0.0.1:${port}/organizations/current/tasks`, { headers: { cookie }, signal: AbortSignal.timeout(300) }).catch(
      (error: Error) => error.name,
    ),
  )
  expect(new Set(await Promise.all(gone))).toEqual(new Set(['TimeoutError']))
  await letGo()
  const answers = await Promise.all(Array.from({ length: 10 }, () => program.get('/organizations/current/tasks')))
  expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200]))
})
