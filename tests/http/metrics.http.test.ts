import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { daybookHost } from '../../src/http/index.ts'
import { type Job, runJob } from '../../src/jobs/index.ts'
import { transactionReports } from '../../src/orm/index.ts'
import { openTestHost, type SignedUp, signUp, type TestHost } from './test-host.ts'

const token = 'a-token-of-which-an-operator-has-made-enough'

let on: TestHost
let ann: SignedUp

beforeAll(async () => {
  on = await openTestHost({ metrics: true, rateLimits: { requests: 1_000, credentials: 100 } })
  ann = await signUp(on, 'ann@acme.example', 'Acme')
})
afterAll(() => on[Symbol.asyncDispose]())

async function numbers(): Promise<Record<string, number>> {
  const { body } = await on.host.inject('/metrics')
  const lines = body.split('\n').filter(line => line && !line.startsWith('#'))
  return Object.fromEntries(lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
}
const requestsOf = (route: string, method: string, status: number) =>
  `http_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"}`

test('requests are counted by the pattern of their route, whatever they ask for, and unknown paths as one', async () => {
  const before = Object.keys(await numbers()).length
  const ids = Array.from({ length: 20 }, (_, each) => `01890a5d-ac96-774b-bcce-b302099a80${each + 10}`)
  for (const id of ids) {
    await ann.caller.get(`/organizations/current/tasks/${id}?fields=title`)
    await ann.caller.get(`/nothing/${id}`)
    await ann.caller.call('PROPFIND', `/nowhere/${id}`)
  }
  const after = await numbers()
  expect(after[requestsOf('/organizations/:organization/tasks/:id', 'GET', 404)]).toBe(20)
  expect(after[requestsOf('unmatched', 'ANY', 404)]).toBe(40)
  // Ten buckets, a sum and a count for each of the two, and for the look at the numbers itself.
  expect(Object.keys(after).length - before).toBeLessThanOrEqual(4 * 12)
})

test('transactions, events, limits, load and jobs are counted, and nothing that is counted names a tenant, a person or a secret', async () => {
  const before = await numbers()
  await ann.caller.post('/organizations/current/tasks', { title: 'a title that nobody counts' })
  await ann.caller.get('/organizations/current/tasks/nothing')
  let tries = 0
  await on.daybook
    .transact({ tenant: ann.organization, actor: { type: 'system', id: 'test' } }, async () => {
      if (++tries < 3) throw Object.assign(new Error('lost'), { code: '40001' })
    })
    .catch(() => {})
  const job: Job = { name: 'count-nothing', everyMs: 1_000, forPlatform: async () => 0 }
  await runJob(on.daybook, job)
  const after = await numbers()
  const grew = (name: string) => after[name]! - (before[name] ?? 0)
  expect(grew('daybook_audit_events_total')).toBeGreaterThanOrEqual(1)
  expect(grew('daybook_transaction_retries_total{scope="tenant"}')).toBe(2)
  expect(grew('daybook_transaction_duration_seconds_count{scope="tenant",outcome="committed"}')).toBeGreaterThan(1)
  expect(after['daybook_job_duration_seconds_count{job="count-nothing",status="OK"}']).toBe(1)
  expect(after['daybook_requests_throttled_total{limit="tenant"}']).toBe(0)
  expect(after['daybook_requests_shed_total{reason="pool"}']).toBe(0)
  expect(after['daybook_pool_waiting']).toBe(0)
  expect(after['daybook_pool_connections']).toBe(on.daybook.pool?.size ?? 0)
  expect(Object.keys(after).find(name => name.startsWith('daybook_build_info'))).toMatch(/version="\d+\.\d+\.\d+",node="v\d+/)
  const text = (await on.host.inject('/metrics')).body
  for (const hidden of [ann.organization, ann.user, 'acme', 'a title']) expect(text.toLowerCase()).not.toContain(hidden)
})

test('a host that wasn’t asked to serves no numbers', async () => {
  await using plain = await openTestHost()
  expect((await plain.host.inject('/metrics')).statusCode).toBe(404)
})

describe('without a token', () => {
  const ask = (options: object) => on.host.inject({ url: '/metrics', ...options })

  test.each(['localhost', 'LOCALHOST:3000', '127.0.0.1:3000', '127.8.9.1', '[::1]:3000', '[::1]'])(
    'this machine is answered as %s',
    async host => {
      expect((await ask({ remoteAddress: '::1', headers: { host } })).statusCode).toBe(200)
    },
  )

  test('another machine is not', async () => {
    expect((await ask({ remoteAddress: '192.0.2.1' })).json()).toMatchObject({ status: 404, code: 'http.route_not_found' })
  })

  test.each([
    ['x-forwarded-for', '127.0.0.1'],
    ['x-forwarded-proto', 'https'],
    ['x-forwarded-port', '443'],
    ['x-forwarded-host', 'localhost'],
    ['x-forwarded-prefix', '/'],
    ['x-forwarded', '127.0.0.1'],
    ['x-real-ip', '127.0.0.1'],
    ['forwarded', 'for=127.0.0.1'],
    ['via', '1.1 proxy'],
    ['x-forwarded-proto', ''],
  ])('what a proxy on this machine passes on is not: %s: %s', async (name, value) => {
    expect((await ask({ headers: { [name]: value } })).statusCode).toBe(404)
  })

  test.each(['evil.example', 'evil.example:3000', 'localhost.evil.example', '127.0.0.1.evil.example', 'localhost@evil.example', '0.0.0.0'])(
    'a page that a stranger’s name brings here is not: %j',
    async host => {
      expect((await ask({ headers: { host } })).statusCode).toBe(404)
    },
  )
})

test('with a token whoever has it is answered, from anywhere, and nobody else', async () => {
  const host = daybookHost(on.daybook, { rateLimits: false, metrics: { token, path: '/internal/metrics' } })
  const ask = (authorization?: string) =>
    host.inject({ url: '/internal/metrics', remoteAddress: '192.0.2.1', headers: authorization ? { authorization } : {} })
  for (const wrong of [undefined, token, `Bearer ${token}x`, `Bearer ${token.slice(1)}`, 'Bearer '])
    expect((await ask(wrong)).statusCode).toBe(401)
  const answer = await ask(`Bearer ${token}`)
  expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, expect.stringContaining('text/plain')])
  expect((await host.inject('/metrics')).statusCode).toBe(404)
  await host.close()
})

test('a token that could be guessed is refused when the host starts', async () => {
  const host = daybookHost(on.daybook, { metrics: { token: 'secret' } })
  await expect(host.ready()).rejects.toThrow(/shorter than 32/)
  await host.close()
})

test('a host that has closed counts no more', async () => {
  await using short = await openTestHost({ metrics: true })
  await on.host.close()
  expect(transactionReports.hasSubscribers).toBe(true)
  await short.host.close()
  expect(transactionReports.hasSubscribers).toBe(false)
})
