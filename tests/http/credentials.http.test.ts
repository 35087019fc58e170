import { afterAll, beforeAll, expect, test } from 'vitest'
import { userActor } from '../../src/context/index.ts'
import { daybookHost } from '../../src/http/index.ts'
import { Session } from '../../src/domain/identity/index.ts'
import { ApiKey } from '../../src/domain/access/index.ts'
import { newSecret } from '../../src/kernel/secret.ts'
import { type TransactionReport, transactionReports } from '../../src/orm/index.ts'
import { Caller, cookieIn, openTestHost, password, roleIdOf, type SignedUp, signUp, type TestHost, tokenFor } from './test-host.ts'

let on: TestHost
let ann: SignedUp

beforeAll(async () => {
  on = await openTestHost({ allowedOrigins: ['https://app.example.com'] })
  ann = await signUp(on, 'ann@acme.example', 'Acme')
})
afterAll(() => on[Symbol.asyncDispose]())

async function issue(scopes: string[]): Promise<{ apiKey: { id: string }; secret: string }> {
  return (await ann.caller.post('/organizations/current/api-keys', { name: 'k', environment: 'LIVE', scopes })).json()
}

test('every route but the public ones needs a credential', async () => {
  const open =
    /^\/(?:health|auth\/(?:sign-up|sign-in|verify-email|forgot-password|reset-password)$|invitations\/|newsletters\/|webhooks\/|docs(?:\/|$)|openapi\.json$)/
  const closed = on.routes.filter(({ method, url }) => method !== 'OPTIONS' && !open.test(url))
  expect(closed.length).toBeGreaterThan(20)
  for (const { method, url } of closed) {
    const answer = await new Caller(on).call(method, url.replace(':organization', 'current').replace(':id', ann.user))
    expect([method, url, answer.statusCode]).toEqual([method, url, 401])
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="daybook"')
  }
})

test.each([
  ['an unknown session', () => ({ cookie: `daybook_session=${newSecret()}` })],
  ['a mangled session', () => ({ cookie: 'daybook_session=%00%ff' })],
  ['an empty session', () => ({ cookie: 'daybook_session=' })],
  ['a session of SQL', () => ({ cookie: "daybook_session=' or 1=1 --" })],
  ['an unknown key', () => ({ authorization: `Bearer dbk_live_${'A'.repeat(71)}` })],
  ['another kind of token', () => ({ authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' })],
  ['a password', () => ({ authorization: `Basic ${Buffer.from(`ann@acme.example:${password}`).toString('base64')}` })],
  ['an empty header', () => ({ authorization: '' })],
] as const)('%s is refused and not taken for nobody', async (_what, credential) => {
  const caller = new Caller(on, credential())
  expect((await caller.get('/me')).json().code).toBe('http.credential_refused')
  expect((await caller.post('/invitations/accept', { token: 'x'.repeat(20), password })).json().code).toBe('http.credential_refused')
})

test('a key with one wrong letter is refused, and so is a session with one', async () => {
  const { secret } = await issue(['role:read'])
  const signedIn = new Caller(on)
  const cookie = cookieIn(await signedIn.signIn('ann@acme.example'))
  for (const [name, value] of Object.entries({ authorization: `Bearer ${secret}`, cookie })) {
    expect((await new Caller(on, { [name]: value }).get('/organizations/current/roles')).statusCode).toBe(200)
    const flipped = value.slice(0, -1) + (value.endsWith('A') ? 'B' : 'A')
    expect((await new Caller(on, { [name]: flipped }).get('/organizations/current/roles')).statusCode).toBe(401)
  }
})

test('a program’s request is one transaction, in which its key is asked for each time', async () => {
  const { apiKey, secret } = await issue(['role:read'])
  const program = new Caller(on, { authorization: `Bearer ${secret}` })
  const roles = () => program.get('/organizations/current/roles')
  expect((await roles()).statusCode).toBe(200)
  const scopes: string[] = []
  const listen = (message: unknown) => void scopes.push((message as TransactionReport).scope)
  transactionReports.subscribe(listen)
  expect((await roles()).statusCode).toBe(200)
  transactionReports.unsubscribe(listen)
  expect(scopes).toEqual(['tenant'])
  await ann.caller.delete(`/organizations/current/api-keys/${apiKey.id}`)
  expect((await roles()).json().code).toBe('http.credential_refused')
  expect((await roles()).json().code).toBe('http.credential_refused')
})

test('a key that was used a moment ago opens nothing either when its issuer is suspended', async () => {
  const email = 'bob@acme.example'
  await ann.caller.post('/organizations/current/invitations', { email, role: await roleIdOf(ann.caller, 'ADMIN') })
  const joined = await new Caller(on).post('/invitations/accept', { token: tokenFor(on.mails, email), password })
  const bob = new Caller(on)
  await bob.signIn(email)
  const made = await bob.post(`/organizations/${ann.organization}/api-keys`, {
    name: 'k',
    environment: 'LIVE',
    scopes: ['role:read', 'task:read'],
  })
  const program = new Caller(on, { authorization: `Bearer ${made.json().secret}` })
  const look = () => Promise.all(['roles', 'tasks'].map(async path => (await program.get(`/organizations/current/${path}`)).statusCode))
  expect(await look()).toEqual([200, 200])
  const members = (await ann.caller.get('/organizations/current/members')).json<{ items: { id: string; user: { id: string } }[] }>().items
  const member = members.find(({ user }) => user.id === joined.json().user.id)!
  await ann.caller.patch(`/organizations/current/members/${member.id}`, { status: 'SUSPENDED' })
  expect(await look()).toEqual([401, 401])
})

test('a key makes no key, and revokes none that may do more than it may, but itself', async () => {
  const strong = await issue(['role:manage'])
  const { apiKey, secret } = await issue(['api-key:manage', 'role:read'])
  const program = new Caller(on, { authorization: `Bearer ${secret}` })
  const keys = '/organizations/current/api-keys'
  const refused = [
    await program.post(keys, { name: 'heir', environment: 'LIVE', scopes: ['role:read'] }),
    await program.post(`${keys}/${apiKey.id}/rotate`),
    await program.delete(`${keys}/${strong.apiKey.id}`),
  ]
  expect(refused.map(answer => [answer.statusCode, answer.json().code])).toEqual([
    [403, 'access.denied'],
    [403, 'access.denied'],
    [403, 'access.grant_exceeds_own'],
  ])
  expect((await program.delete(`${keys}/${apiKey.id}`)).statusCode).toBe(204)
  expect((await program.get(keys)).statusCode).toBe(401)
})

test('an expired session and an expired key open nothing', async () => {
  const { apiKey, secret } = await issue(['role:read'])
  const past = new Date(Date.now() - 1_000)
  await on.daybook.transact({ tenant: ann.organization, actor: userActor(ann.user) }, async em => {
    await em.nativeUpdate(ApiKey, apiKey.id, { expiresAt: past })
  })
  expect((await new Caller(on, { authorization: `Bearer ${secret}` }).get('/organizations/current/roles')).statusCode).toBe(401)

  const bea = await signUp(on, 'bea@b.example', 'Bee')
  await on.daybook.transact({ kind: 'identity', actor: userActor(bea.user) }, async em => {
    await em.nativeUpdate(Session, { user: bea.user }, { expires: past })
  })
  const answer = await bea.caller.get('/me')
  expect(answer.json().code).toBe('http.credential_refused')
  expect(answer.headers['set-cookie']).toContain('Max-Age=0')
})

test('a key does what its scopes say and never more than who issued it', async () => {
  const { secret } = await issue(['role:create', 'role:read'])
  const program = new Caller(on, { authorization: `Bearer ${secret}` })
  expect((await program.post('/organizations/current/roles', { key: 'BY_KEY', name: 'x', permissions: ['role:read'] })).statusCode).toBe(
    201,
  )
  const more = await program.post('/organizations/current/roles', { key: 'MORE', name: 'x', permissions: ['api-key:manage'] })
  expect(more.json().code).toBe('access.grant_exceeds_own')
  expect((await program.get('/organizations/current/members')).json().code).toBe('access.denied')
  expect(
    (await ann.caller.post('/organizations/current/api-keys', { name: 'k', environment: 'LIVE', scopes: ['no:read'] })).json().code,
  ).toBe('access.permission_unknown')
})

test('the session cookie can’t be read by scripts, travels to this site alone, and over https only when it came by https', async () => {
  const cookie = String((await new Caller(on).signIn('ann@acme.example')).headers['set-cookie'])
  expect(cookie).toMatch(/^daybook_session=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/)
  const proxied = daybookHost(on.daybook, { trustProxy: true, rateLimits: false })
  const secure = await new Caller({ host: proxied }, { 'x-forwarded-proto': 'https' }).signIn('ann@acme.example')
  expect(String(secure.headers['set-cookie'])).toContain('; Secure')
  expect(secure.headers['strict-transport-security']).toContain('max-age=')
  const production = daybookHost(on.daybook, { secureCookie: true, rateLimits: false })
  expect(String((await new Caller({ host: production }).signIn('ann@acme.example')).headers['set-cookie'])).toContain('; Secure')
  await Promise.all([proxied.close(), production.close()])
})

test('a cookie that a neighbour of the same site has planted counts nowhere', async () => {
  await signUp(on, 'mallory@evil.example', 'Evil')
  const theirs = cookieIn(await new Caller(on).signIn('mallory@evil.example'))
  const ours = cookieIn(await new Caller(on).signIn('ann@acme.example'))
  for (const cookie of [`${theirs}; ${ours}`, `${ours}; ${theirs}`, `daybook_session=x; ${ours}`]) {
    const answer = await new Caller(on, { cookie }).get('/me')
    // To clear ours would leave theirs alone.
    expect([answer.json().code, answer.headers['set-cookie']]).toEqual(['http.credential_refused', undefined])
  }
  const production = daybookHost(on.daybook, { secureCookie: true, rateLimits: false })
  const signedIn = await new Caller({ host: production }).signIn('ann@acme.example')
  expect(String(signedIn.headers['set-cookie'])).toMatch(
    /^__Host-daybook_session=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax; Secure$/,
  )
  const me = async (cookie: string) => (await new Caller({ host: production }, { cookie }).get('/me')).json()
  expect((await me(`${theirs}; ${cookieIn(signedIn)}`)).user.email).toBe('ann@acme.example')
  expect((await me(theirs)).code).toBe('http.unauthenticated')
  expect((await new Caller({ host: production }).get('/openapi.json')).json().components.securitySchemes.session.name).toBe(
    '__Host-daybook_session',
  )
  await production.close()
})

test.each([
  ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, 403],
  ['a sister site', { 'sec-fetch-site': 'same-site', origin: 'https://evil.example.com' }, 403],
  ['another site, in an older browser', { origin: 'https://evil.example' }, 403],
  ['a sandboxed frame', { origin: 'null' }, 403],
  ['a form that says nothing', { 'content-type': 'text/plain' }, 403],
  ['the same origin', { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:80' }, 200],
  ['the same origin, in an older browser', { origin: 'http://localhost' }, 200],
  ['an origin that is allowed', { 'sec-fetch-site': 'cross-site', origin: 'https://app.example.com' }, 200],
  ['a program', {}, 200],
] as const)('a write from %s', async (_from, headers, status) => {
  const payload = { organization: ann.organization }
  const answer = await ann.caller.call('POST', '/me/organization', { payload, headers: { host: 'localhost', ...headers } })
  expect(answer.statusCode).toBe(status)
  if (status === 403) expect(answer.json().code).toBe('http.cross_site')
})

test('another site can’t sign somebody in either, but a key needs no origin', async () => {
  const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  const forced = await new Caller(on, headers).signIn('ann@acme.example')
  expect([forced.statusCode, forced.headers['set-cookie']]).toEqual([403, undefined])
  const { secret } = await issue(['role:create'])
  const program = new Caller(on, { ...headers, authorization: `Bearer ${secret}` })
  expect((await program.post('/organizations/current/roles', { key: 'FROM_AFAR', name: 'x' })).statusCode).toBe(201)
})

test('every answer, refusals too, carries the security headers and its request id', async () => {
  const id = '01890a5d-ac96-774b-bcce-b302099a8057'
  for (const path of ['/me', '/nothing', '/health/live']) {
    const { headers } = await new Caller(on, { 'x-request-id': id }).get(path)
    expect(headers).toMatchObject({
      'x-request-id': id,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
    })
    expect(headers).not.toHaveProperty('strict-transport-security')
  }
  const odd = await new Caller(on, { 'x-request-id': 'x\u00e9'.repeat(100) }).get('/me')
  expect(odd.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
})
