import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caller, openTestHost, password, roleIdOf, type TestHost, tokenFor } from './test-host.ts'

let on: TestHost

beforeAll(async () => {
  on = await openTestHost()
})
afterAll(() => on[Symbol.asyncDispose]())

test('two people sign up, one joins the other, and a program works for them, from the first mail to the last sign-out', async () => {
  const ann = new Caller(on)
  const bob = new Caller(on)
  for (const [caller, email, name] of [
    [ann, 'ann@acme.example', 'Acme'],
    [bob, 'bob@zenith.example', 'Zenith'],
  ] as const) {
    const made = await caller.post('/auth/sign-up', { email, password, name: email[0]!, organization: { name } })
    expect(made.statusCode).toBe(201)
    expect(made.json()).toMatchObject({ user: { email, emailVerifiedAt: null }, organization: { name, plan: 'FREE', status: 'ACTIVE' } })
    const verified = await caller.post('/auth/verify-email', { token: tokenFor(on.mails, email) })
    expect(verified.json().user.emailVerifiedAt).toEqual(expect.any(String))
    expect((await caller.signIn(email)).statusCode).toBe(200)
  }

  const me = (await ann.get('/me')).json()
  expect(me.organizations.map(({ name }: { name: string }) => name)).toEqual(['Acme'])
  expect(me.activeOrganization).toBe(me.organizations[0].id)
  expect(me.permissions).toContainEqual({ key: 'organization:manage', path: ['membership', 'OWNER', 'organization:manage'] })

  const invited = await ann.post('/organizations/current/invitations', { email: 'Bob@Zenith.example', role: await roleIdOf(ann, 'ADMIN') })
  expect(invited.statusCode).toBe(201)
  expect(invited.body).not.toContain(tokenFor(on.mails, 'bob@zenith.example'))
  const accepted = await bob.post('/invitations/accept', { token: tokenFor(on.mails, 'bob@zenith.example') })
  expect(accepted.json()).toMatchObject({ organization: me.activeOrganization, user: { email: 'bob@zenith.example' } })

  expect((await bob.get('/organizations/current')).json().name).toBe('Zenith')
  const switched = await bob.post('/me/organization', { organization: me.activeOrganization })
  expect(switched.json().organization.name).toBe('Acme')
  const members = (await bob.get('/organizations/current/members')).json()
  expect(members.items.map((member: { user: { email: string } }) => member.user.email)).toEqual(['ann@acme.example', 'bob@zenith.example'])
  expect(Object.keys(members.items[0].user).toSorted()).toEqual(['email', 'id', 'image', 'locale', 'name'])

  const made = await bob.post('/organizations/current/roles', {
    key: 'REVIEWER',
    name: 'Reviewer',
    parent: 'VIEWER',
    permissions: ['role:update'],
  })
  expect(made.statusCode).toBe(201)
  const role = made.json()
  expect(role).toMatchObject({ key: 'REVIEWER', isSystem: false, permissions: ['role:update'] })
  const changed = await bob.patch(`/organizations/current/roles/${role.id}`, {
    name: 'Reader',
    permissions: ['role:read'],
    version: role.version,
  })
  expect(changed.json()).toMatchObject({ name: 'Reader', permissions: ['role:read'] })
  expect((await bob.patch(`/organizations/current/roles/${role.id}`, { name: 'Late', version: role.version })).json().code).toBe(
    'http.version_conflict',
  )
  const explained = await bob.get(`/organizations/current/permissions/explain?user=${me.user.id}&permission=role:create`)
  expect(explained.json()).toMatchObject({ allowed: true, path: expect.arrayContaining(['membership', 'OWNER', 'ADMIN']) })

  const key = (await bob.post('/organizations/current/api-keys', { name: 'sync', environment: 'TEST', scopes: ['membership:read'] })).json()
  const program = new Caller(on, { authorization: `Bearer ${key.secret}` })
  expect((await program.get('/organizations/current/members')).json().items).toHaveLength(2)
  expect((await program.get('/organizations/current/roles')).json().code).toBe('access.denied')
  expect((await program.get('/me')).json().code).toBe('http.person_required')
  const rotated = (await bob.post(`/organizations/current/api-keys/${key.apiKey.id}/rotate`)).json()
  const successor = new Caller(on, { authorization: `Bearer ${rotated.secret}` })
  expect([
    (await program.get('/organizations/current/members')).statusCode,
    (await successor.get('/organizations/current/members')).statusCode,
  ]).toEqual([200, 200])
  expect((await bob.delete(`/organizations/current/api-keys/${rotated.apiKey.id}`)).statusCode).toBe(204)
  expect((await successor.get('/organizations/current/members')).json().code).toBe('http.credential_refused')

  expect((await bob.delete(`/me/organizations/${me.activeOrganization}`)).statusCode).toBe(204)
  expect((await bob.get('/organizations/current')).statusCode).toBe(404)
  expect((await bob.get('/me')).json()).toMatchObject({ activeOrganization: null, permissions: [] })
  expect((await bob.post('/auth/sign-out')).statusCode).toBe(204)
  expect((await bob.get('/me')).json().code).toBe('http.credential_refused')
})
