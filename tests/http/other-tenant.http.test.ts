import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../src/kernel/id.ts'
import { sampleOf } from './sample.ts'
import {
  Caller,
  collectionOf,
  openTestHost,
  password,
  roleIdOf,
  rowFor,
  type SignedUp,
  signUp,
  type TestHost,
  tokenFor,
  wholeResources,
} from './test-host.ts'

let on: TestHost
let ann: SignedUp
let zoe: SignedUp
/** Rows of Zoe's organization, by the collection that they stand in. */
let hers: Record<string, string>
let annsKey: Caller

beforeAll(async () => {
  on = await openTestHost()
  ann = await signUp(on, 'ann@acme.example', 'Acme')
  zoe = await signUp(on, 'zoe@zenith.example', 'Zenith')
  const role = (await zoe.caller.post('/organizations/current/roles', { key: 'OURS', name: 'Ours' })).json()
  const invitation = (await zoe.caller.post('/organizations/current/invitations', { email: 'x@x.example', role: role.id })).json()
  const key = (await zoe.caller.post('/organizations/current/api-keys', { name: 'k', environment: 'LIVE', scopes: ['role:read'] })).json()
  const member = (await zoe.caller.get('/organizations/current/members')).json().items[0]
  hers = { roles: role.id, invitations: invitation.id, 'api-keys': key.apiKey.id, members: member.id }
  for (const { entity } of wholeResources) {
    hers[collectionOf(on, entity)] = await rowFor(on, zoe, entity)
  }
  const made = await ann.caller.post('/organizations/current/api-keys', {
    name: 'everything',
    environment: 'LIVE',
    scopes: ['*:manage', 'organization:read'],
  })
  annsKey = new Caller(on, { authorization: `Bearer ${made.json().secret}` })
})
afterAll(() => on[Symbol.asyncDispose]())

/** A body that each route would take. */
const bodies: Record<string, () => object> = {
  'PATCH members': () => ({ status: 'SUSPENDED' }),
  'POST invitations': () => ({ email: 'new@x.example', role: hers.roles! }),
  'POST roles': () => ({ key: 'THEIRS', name: 'Theirs' }),
  'PATCH roles': () => ({ name: 'Renamed' }),
  'POST api-keys': () => ({ name: 'k', environment: 'LIVE', scopes: ['role:read'] }),
}

function callsInto(organization: string) {
  return on.routes
    .filter(({ method, url }) => method !== 'HEAD' && url.startsWith('/organizations/:organization'))
    .map(({ method, url, body, query }) => {
      const collection = url.split('/')[3] ?? ''
      const path = url.replace(':organization', organization).replace(':id', hers[collection] ?? newId())
      const asked = new URLSearchParams((query ? sampleOf(query) : {}) as Record<string, string>).toString()
      const payload = bodies[`${method} ${collection}`]?.() ?? (body ? (sampleOf(body) as object) : undefined)
      return { method, url: asked ? `${path}?${asked}` : path, ...(payload && { payload }), hasId: url.includes(':id') }
    })
}

/** There are many routes. */
const slowly = { timeout: 90_000 }
const callers: readonly (readonly [who: string, caller: () => Caller])[] = [
  ['a person', () => ann.caller],
  ['a key', () => annsKey],
]

async function everythingOfHers(): Promise<string> {
  const answers: string[] = []
  for (const path of ['', ...Object.keys(hers).map(name => `/${name}?limit=200`)]) {
    const { statusCode, body } = await zoe.caller.get(`/organizations/current${path}`)
    expect([path, statusCode]).toEqual([path, 200])
    answers.push(body)
  }
  return answers.join('\n')
}

test.each(callers)(
  'every route into an organization answers 404 to %s of another one, and changes nothing',
  slowly,
  async (_who, caller) => {
    const before = await everythingOfHers()
    const calls = callsInto(zoe.organization)
    expect(calls.length).toBeGreaterThan(400)
    for (const { method, url, payload } of calls) {
      const answer = await caller().call(method, url, payload && { payload })
      expect([method, url, answer.statusCode, answer.json().code]).toEqual([method, url, 404, 'http.not_found'])
    }
    expect(await everythingOfHers()).toBe(before)
  },
)

test('an organization that doesn’t exist gets the same answer as one that belongs to others', async () => {
  const [theirs, nobodys] = await Promise.all([zoe.organization, newId()].map(id => ann.caller.get(`/organizations/${id}/members`)))
  expect({ ...theirs!.json(), requestId: '' }).toEqual({ ...nobodys!.json(), requestId: '' })
})

test.each(callers)(
  'another tenant’s ids within one’s own organization answer 404 to %s, and change nothing',
  slowly,
  async (_who, caller) => {
    const before = await everythingOfHers()
    const calls = callsInto('current').filter(({ hasId }) => hasId)
    expect(calls.length).toBeGreaterThan(200)
    for (const { method, url, payload } of calls) {
      const answer = await caller().call(method, url, payload && { payload })
      expect([method, url, answer.statusCode]).toEqual([method, url, 404])
    }
    expect(await everythingOfHers()).toBe(before)
  },
)

test('another tenant’s role can’t be given, offered or inherited', async () => {
  const member = (await ann.caller.get('/organizations/current/members')).json().items[0]
  const given = await ann.caller.patch(`/organizations/current/members/${member.id}`, { role: hers.roles! })
  const offered = await ann.caller.post('/organizations/current/invitations', { email: 'y@y.example', role: hers.roles! })
  const inherited = await ann.caller.post('/organizations/current/roles', { key: 'MINE', name: 'Mine', parent: 'OURS' })
  expect([given.statusCode, offered.statusCode, inherited.statusCode]).toEqual([404, 404, 404])
})

test('another tenant’s person is nobody here', async () => {
  const explained = await ann.caller.get(`/organizations/current/permissions/explain?user=${zoe.user}&permission=role:read`)
  expect(explained.json()).toMatchObject({ allowed: false, path: [], because: 'the person is not a member' })
})

test('nobody switches to an organization that they don’t belong to', async () => {
  expect((await ann.caller.post('/me/organization', { organization: zoe.organization })).statusCode).toBe(404)
  expect((await ann.caller.get('/me')).json().activeOrganization).toBe(ann.organization)
})

test('an invitation is for its address alone', async () => {
  const token = tokenFor(on.mails, 'x@x.example')
  expect((await ann.caller.post('/invitations/accept', { token })).json().code).toBe('access.invitation_invalid')
  expect((await ann.caller.get(`/organizations/${zoe.organization}`)).statusCode).toBe(404)
})

test('a suspended member is out at the next request, and back when the suspension ends', async () => {
  await ann.caller.post('/organizations/current/invitations', { email: 'sam@s.example', role: await roleIdOf(ann.caller, 'VIEWER') })
  await new Caller(on).post('/invitations/accept', { token: tokenFor(on.mails, 'sam@s.example'), password })
  const sam = new Caller(on)
  await sam.signIn('sam@s.example')
  const members = (await ann.caller.get('/organizations/current/members')).json().items as { id: string; user: { email: string } }[]
  const { id } = members.find(({ user }) => user.email === 'sam@s.example')!
  const seen = []
  for (const status of ['SUSPENDED', 'ACTIVE']) {
    seen.push((await sam.get('/organizations/current')).statusCode)
    await ann.caller.patch(`/organizations/current/members/${id}`, { status })
  }
  expect((await sam.get('/organizations/current')).statusCode).toBe(200)
  await ann.caller.patch(`/organizations/current/members/${id}`, { status: 'SUSPENDED' })
  expect((await sam.get(`/organizations/${ann.organization}`)).statusCode).toBe(404)
  expect(seen).toEqual([200, 404])
})
