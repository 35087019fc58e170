import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caller, openTestHost, type TestHost } from './test-host.ts'

let on: TestHost

beforeAll(async () => {
  on = await openTestHost({ rateLimits: { requests: 8, credentials: 3 }, trustProxy: true })
})
afterAll(() => on[Symbol.asyncDispose]())

const from = (address: string) => new Caller(on, { 'x-forwarded-for': address })

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
