import { afterAll, beforeAll, expect, test } from 'vitest'
import { daybookHost } from '../../src/http/index.ts'
import { Daybook } from '../../src/orm/index.ts'
import { Caller, openTestHost, password, type SignedUp, signUp, type TestHost } from '../http/test-host.ts'

let anywhere: TestHost
let european: { host: TestHost['host'] }
let canada: SignedUp

beforeAll(async () => {
  anywhere = await openTestHost()
  const { orm, embedded } = anywhere.daybook
  const limits = { statementTimeoutMs: 30_000, lockTimeoutMs: 10_000, idleTimeoutMs: 60_000 }
  const host = daybookHost(new Daybook({ orm, embedded, limits, region: 'EU' }), { rateLimits: false })
  european = { host }
  canada = await signUpIn('CA', 'chloe@example.com')
})
afterAll(async () => {
  await european.host.close()
  await anywhere[Symbol.asyncDispose]()
})

async function signUpIn(dataRegion: string, email: string): Promise<SignedUp> {
  const caller = new Caller(anywhere)
  const made = (await caller.post('/auth/sign-up', { email, password, organization: { name: 'Érable', dataRegion } })).json()
  await caller.signIn(email)
  return { caller, user: made.user.id, organization: made.organization.id }
}

test('work for an organization of another region is misdirected', async () => {
  const caller = new Caller(european)
  expect((await caller.signIn('chloe@example.com')).json()).toMatchObject({ activeOrganization: null })
  const answer = await caller.get(`/organizations/${canada.organization}/members`)
  expect(answer.statusCode).toBe(421)
  expect(answer.json()).toMatchObject({ status: 421, title: 'Misdirected Request', code: 'tenancy.wrong_region' })
  expect(answer.json().detail).toContain('kept in CA')
  expect((await canada.caller.get(`/organizations/${canada.organization}/members`)).statusCode).toBe(200)
})

test('who isn’t a member learns no region', async () => {
  await signUp(anywhere, 'stranger@example.com', 'Strangers')
  const stranger = new Caller(european)
  await stranger.signIn('stranger@example.com')
  expect((await stranger.get(`/organizations/${canada.organization}`)).statusCode).toBe(404)
})

test('a person sees that they have an organization elsewhere, and can’t enter it', async () => {
  const caller = new Caller(european)
  await caller.signIn('chloe@example.com')
  const me = await caller.get('/me')
  expect(me.statusCode).toBe(200)
  expect(me.json()).toMatchObject({ organizations: [{ id: canada.organization, dataRegion: 'CA' }], activeOrganization: null })
  expect((await caller.post('/me/organization', { organization: canada.organization })).statusCode).toBe(421)
})

test('an API key of another region is misdirected too', async () => {
  const issued = await canada.caller.post(`/organizations/current/api-keys`, { name: 'CI', environment: 'TEST', scopes: ['role:read'] })
  const program = new Caller(european, { authorization: `Bearer ${issued.json().secret}` })
  expect((await program.get('/organizations/current/roles')).statusCode).toBe(421)
})

test('signing up elsewhere is refused, and without a region it is here', async () => {
  const caller = new Caller(european)
  const refused = await caller.post('/auth/sign-up', { email: 'd@example.com', password, organization: { name: 'D', dataRegion: 'US' } })
  expect(refused.statusCode).toBe(421)
  const made = await caller.post('/auth/sign-up', { email: 'd@example.com', password, organization: { name: 'D' } })
  expect(made.json().organization.dataRegion).toBe('EU')
})
