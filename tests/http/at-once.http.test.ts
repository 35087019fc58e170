import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { ApiKey } from '../../src/entities.ts'
import { type TransactionReport, transactionReports } from '../../src/orm/index.ts'
import { Caller, openTestHost, type SignedUp, signUp, type TestHost } from './test-host.ts'

/** A program that was let in a moment ago does its work at once, and whether it still is let in is asked along with it. */
let on: TestHost
let ann: SignedUp
let key: { id: string; secret: string }
let program: Caller

const tasks = '/organizations/current/tasks'
const scopes = [
  'task:create',
  'task:read',
  'task:update',
  'task:delete',
  'marketplace-item:create',
  'marketplace-item:read',
  'scheduling-event:create',
]

beforeAll(async () => {
  on = await openTestHost()
})
afterAll(() => on[Symbol.asyncDispose]())

let number = 0
beforeEach(async () => {
  ann = await signUp(on, `ann${++number}@acme.example`, `Acme ${number}`)
  const made = await ann.caller.post('/organizations/current/api-keys', { name: 'k', environment: 'LIVE', scopes })
  if (made.statusCode !== 201) throw new Error(made.body)
  const { apiKey, secret } = made.json<{ apiKey: { id: string }; secret: string }>()
  key = { id: apiKey.id, secret }
  program = new Caller(on, { authorization: `Bearer ${secret}` })
  // From here on it is known.
  expect((await program.post(tasks, { title: 'known' })).statusCode).toBe(201)
})

const scope = () => ({ tenant: ann.organization, actor: systemActor('test') })
const store = (change: (apiKey: ApiKey) => void) => on.daybook.transact(scope(), async em => change(await em.findOneOrFail(ApiKey, key.id)))
const asOperator = async (sql: string) => {
  const em = await on.daybook.operatorScope({ kind: 'operator', actor: systemActor('test'), reason: 'a test' })
  await em.execute(sql, [ann.organization])
}
const titles = async () => {
  const rows = await on.daybook.transact(scope(), em => em.execute<{ title: string }[]>('select title from task order by title'))
  return rows.map(({ title }) => title)
}
const ways = {
  revoked: { change: () => store(apiKey => apiKey.revoke(new Date())), status: 401 },
  expired: { change: () => store(apiKey => void (apiKey.expiresAt = new Date(Date.now() - 1_000))), status: 401 },
  narrowed: { change: () => store(apiKey => void (apiKey.scopes = ['project:read'])), status: 403 },
  'of a suspended organization': {
    change: () => asOperator(`update organization set status = 'SUSPENDED' where id = ?`),
    status: 401,
  },
  'of a deleted organization': { change: () => asOperator('update organization set deleted_at = now() where id = ?'), status: 401 },
}

describe.each(Object.entries(ways))('a key that is %s in between', (_what, { change, status }) => {
  test('creates, changes and deletes nothing', async () => {
    const { id } = (await program.post(tasks, { title: 'kept' })).json<{ id: string }>()
    await change()
    const answers = [
      await program.post(tasks, { title: 'never' }),
      await program.call('POST', tasks, { payload: { title: 'never' }, headers: { 'idempotency-key': 'once' } }),
      await program.call('PATCH', `${tasks}/${id}`, { payload: { title: 'never' }, headers: { 'if-match': '*' } }),
      await program.delete(`${tasks}/${id}`),
      await program.post(`${tasks}/${id}/restore`),
    ]
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(answers.map(() => status))
    expect(await titles()).toEqual(['kept', 'known'])
  })

  test('is refused for that, whatever else is wrong with what it asks', async () => {
    const backwards = { startsAt: '2026-11-24T09:00:00Z', endsAt: '2026-11-24T08:00:00Z', timeZone: 'UTC' }
    const schedule = () => program.post('/organizations/current/scheduling-events', { ...backwards, title: 'never', organizer: ann.user })
    expect((await schedule()).statusCode).toBe(422)
    await change()
    expect((await schedule()).statusCode).toBe(status)
    expect((await program.patch(`${tasks}/${ann.user}`, { title: 'never' })).statusCode).toBe(status)
    expect((await program.get(`${tasks}?asOf=2026-01-01T00:00:00Z`)).statusCode).toBe(status)
  })
})

test('a key that may do more may do it at once', async () => {
  const { id } = (await program.post(tasks, { title: 'gone' })).json<{ id: string }>()
  await store(apiKey => void (apiKey.scopes = ['task:read']))
  expect((await program.delete(`${tasks}/${id}`)).statusCode).toBe(403)
  await store(apiKey => void (apiKey.scopes = ['task:delete', 'task:manage', 'task:read']))
  expect((await program.delete(`${tasks}/${id}`)).statusCode).toBe(204)
})

test('what is written at once is answered as what is asked for first, in one transaction', async () => {
  const reports: string[] = []
  const listen = (message: unknown) => void reports.push((message as TransactionReport).scope)
  transactionReports.subscribe(listen)
  const atOnce = await program.post(tasks, { title: 'the same' })
  transactionReports.unsubscribe(listen)
  expect(reports).toEqual(['tenant'])
  const asked = await ann.caller.post(tasks, { title: 'the same' })
  for (const { statusCode, headers, body } of [atOnce, asked]) {
    const { id } = JSON.parse(body) as { id: string }
    const seen = await ann.caller.get(`${tasks}/${id}`)
    expect(statusCode).toBe(201)
    expect(headers).toMatchObject({ location: expect.stringContaining(id) as string, etag: seen.headers.etag })
    expect(JSON.parse(body)).toEqual(seen.json())
  }
  expect(Object.keys(atOnce.json<object>())).toEqual(Object.keys(asked.json<object>()))
})

test('what is there already is a conflict for both, and nothing is written twice', async () => {
  const taken = { kind: 'PRODUCT', sku: 'scale', title: 'A scale', priceMinor: 100, currency: 'EUR' }
  const first = await program.post('/organizations/current/marketplace-items', taken)
  expect(first.body).toContain('scale')
  for (const caller of [program, ann.caller]) {
    const again = await caller.post('/organizations/current/marketplace-items', taken)
    expect(again.statusCode).toBe(409)
  }
  const counted = await on.daybook.transact(scope(), em => em.execute<{ n: number }[]>('select count(*)::int as n from marketplace_item'))
  expect(counted).toEqual([{ n: 1 }])
})

test('what is repeated under its key is answered the same, and done once', async () => {
  const once = () => program.call('POST', tasks, { payload: { title: 'once' }, headers: { 'idempotency-key': 'once' } })
  const [first, again] = [await once(), await once()]
  expect([first.statusCode, again.statusCode]).toEqual([201, 201])
  expect(again.json()).toEqual(first.json())
  expect([first.headers['idempotency-replayed'], again.headers['idempotency-replayed']]).toEqual([undefined, 'true'])
  expect([again.headers.location, again.headers.etag]).toEqual([first.headers.location, first.headers.etag])
  expect(await titles()).toEqual(['known', 'once'])
})
