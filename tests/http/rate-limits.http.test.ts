import { afterAll, beforeAll, expect, test } from 'vitest'
import { userActor } from '../../src/context/index.ts'
import { type ApiKey, issueApiKey } from '../../src/domain/access/index.ts'
import { transactionReports } from '../../src/orm/index.ts'
import { Caller, openTestHost, type SignedUp, signUp, type TestHost } from './test-host.ts'

let on: TestHost

beforeAll(async () => {
  on = await openTestHost({ rateLimits: { requests: 8, credentials: 3, perCredential: 5, perTenant: 7 }, trustProxy: true })
})
afterAll(() => on[Symbol.asyncDispose]())

const from = (address: string) => new Caller(on, { 'x-forwarded-for': address })

let addresses = 0
/** Always somebody else to the limit by address, so that the others are seen. */
const elsewhere = () => ({ headers: { 'x-forwarded-for': `198.51.100.${++addresses}` } })
const codesOf = async (calls: number, call: () => ReturnType<Caller['call']>) => {
  const codes = []
  for (let made = 0; made < calls; made++) codes.push((await call()).statusCode)
  return codes
}

/** Signs up from an address of their own. */
async function arrive(email: string, organization: string): Promise<SignedUp> {
  const own = `203.0.113.${++addresses}`
  const host = { inject: (options: object) => on.host.inject({ ...options, remoteAddress: own }) }
  return signUp({ ...on, host: host as unknown as TestHost['host'] }, email, organization)
}

/** A key that was never counted. */
async function keyOf({ user, organization }: SignedUp, properties: Partial<ApiKey> = {}): Promise<Caller> {
  const { secret } = await on.daybook.transact({ tenant: organization, actor: userActor(user) }, async em => {
    const issued = await issueApiKey(em, { name: 'k', environment: 'TEST', scopes: ['role:read'] })
    Object.assign(issued.apiKey, properties)
    return issued
  })
  return new Caller(on, { authorization: `Bearer ${secret}` })
}

test('guessing at passwords is slowed down long before anything else, and says when to come back', async () => {
  const guesses = []
  for (let guess = 0; guess < 4; guess++) guesses.push(await from('192.0.2.1').signIn('ann@acme.example', 'guess'))
  expect(guesses.map(({ statusCode }) => statusCode)).toEqual([401, 401, 401, 429])
  expect(guesses[3]!.json()).toMatchObject({ code: 'http.too_many_requests', status: 429 })
  expect(Number(guesses[3]!.headers['retry-after'])).toBeGreaterThan(0)
  expect((await from('192.0.2.1').get('/me')).statusCode).toBe(401)
  expect((await from('192.0.2.2').signIn('ann@acme.example', 'guess')).statusCode).toBe(401)
})

test('everything together has a bound by address, paths that don’t exist included, and health has none', async () => {
  const codes = []
  for (let call = 0; call < 9; call++) codes.push((await from('192.0.2.3').get(call % 2 ? '/me' : '/nothing')).statusCode)
  expect(codes.slice(0, 8).every(code => code === 401 || code === 404)).toBe(true)
  expect(codes[8]).toBe(429)
  expect((await from('192.0.2.3').get('/health/live')).statusCode).toBe(200)
})

test('the addresses of one IPv6 subscriber count as one', async () => {
  const codes = []
  for (let guess = 0; guess < 4; guess++) codes.push((await from(`2001:db8:1:1::${guess}`).signIn('a@b.example', 'guess')).statusCode)
  expect(codes).toEqual([401, 401, 401, 429])
})

test('an answer says what is counted and what is left, as the draft on RateLimit headers has it', async () => {
  const { headers } = await from('192.0.2.9').signIn('a@b.example', 'guess')
  expect(headers['ratelimit-policy']).toBe('"address";q=8;w=60, "guesses";q=3;w=60')
  expect(headers.ratelimit).toMatch(/^"address";r=7;t=(59|60), "guesses";r=2;t=(59|60)$/)
})

test('a key is counted wherever it is used, and isn’t looked up any more once it came too often', async () => {
  const key = await keyOf(await arrive('key@acme.example', 'Key'))
  const use = () => key.call('GET', '/organizations/current/roles', elsewhere())
  expect(await codesOf(5, use)).toEqual([200, 200, 200, 200, 200])
  let transactions = 0
  const count = () => void transactions++
  transactionReports.subscribe(count)
  const refused = await use()
  transactionReports.unsubscribe(count)
  expect([refused.statusCode, refused.headers['content-type'], transactions]).toEqual([429, 'application/problem+json; charset=utf-8', 0])
  expect(refused.headers.ratelimit).toMatch(/"credential";r=0;t=\d+$/)
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
})

test('a session is counted like a key, and doesn’t count for another one of the same person', async () => {
  const ann = await arrive('session@acme.example', 'Session')
  const use = () => ann.caller.call('GET', '/me', elsewhere())
  expect((await codesOf(6, use)).at(-1)).toBe(429)
  const again = new Caller(on, elsewhere().headers)
  await again.signIn('session@acme.example')
  expect((await again.call('GET', '/me', elsewhere())).statusCode).toBe(200)
})

test('a key that was given fewer requests than others keeps to them', async () => {
  const key = await keyOf(await arrive('few@acme.example', 'Few'), { rateLimitMax: 2, rateLimitWindow: 120 })
  const answers = []
  for (let call = 0; call < 3; call++) answers.push(await key.call('GET', '/organizations/current/roles', elsewhere()))
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 429])
  expect(answers[2]!.headers['ratelimit-policy']).toContain('"credential";q=2;w=120')
})

test('who tries another key each time is found by address', async () => {
  const tries = Array.from({ length: 9 }, (_, each) => new Caller(on, { authorization: `Bearer dbk_test_${'x'.repeat(40)}${each}` }))
  const codes = []
  for (const attempt of tries) codes.push((await attempt.call('GET', '/me', { headers: { 'x-forwarded-for': '192.0.2.77' } })).statusCode)
  expect(codes).toEqual([...Array<number>(8).fill(401), 429])
})

test('a tenant has a limit over all its keys, which touches no other tenant, and which nobody else can use up', async () => {
  const [noisy, quiet] = [await arrive('noisy@a.example', 'Noisy'), await arrive('quiet@b.example', 'Quiet')]
  const stranger = new Caller(on, { authorization: '', ...elsewhere().headers })
  await stranger.signIn('quiet@b.example')
  const named = () => stranger.call('GET', `/organizations/${noisy.organization}/roles`, elsewhere())
  expect(await codesOf(4, named)).toEqual([404, 404, 404, 404])
  const keys = [await keyOf(noisy), await keyOf(noisy)]
  const roles = (key: Caller) => () => key.call('GET', '/organizations/current/roles', elsewhere())
  expect(await codesOf(4, roles(keys[0]!))).toEqual([200, 200, 200, 200])
  expect(await codesOf(4, roles(keys[1]!))).toEqual([200, 200, 200, 429])
  // The person's own tenant answers, and whoever isn't a member of the noisy one doesn't learn that it is noisy.
  expect((await roles(await keyOf(quiet))()).statusCode).toBe(200)
  expect((await named()).statusCode).toBe(404)
  const member = await noisy.caller.call('GET', '/organizations/current/roles', elsewhere())
  expect([member.statusCode, member.headers.ratelimit]).toEqual([429, expect.stringMatching(/"tenant";r=0;t=\d+$/)])
})

test('counters are bounded: ten thousand strangers later the oldest of them is forgotten, and nobody else', async () => {
  const flood = await openTestHost({ rateLimits: { requests: 1 }, trustProxy: true, logger: false })
  const visit = (address: string) => flood.host.inject({ url: '/nothing', headers: { 'x-forwarded-for': address } })
  expect([(await visit('10.0.0.1')).statusCode, (await visit('10.0.0.1')).statusCode]).toEqual([404, 429])
  for (let stranger = 0; stranger < 10_000; stranger++) await visit(`10.1.${stranger >> 8}.${stranger & 255}`)
  expect([(await visit('10.0.0.1')).statusCode, (await visit('10.1.39.15')).statusCode]).toEqual([404, 429])
  await flood[Symbol.asyncDispose]()
})
