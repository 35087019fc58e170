import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../src/kernel/id.ts'
import { Caller, openTestHost, password, type SignedUp, signUp, type TestHost } from './test-host.ts'

let on: TestHost
let ann: SignedUp

beforeAll(async () => {
  on = await openTestHost()
  ann = await signUp(on, 'ann@acme.example', 'Acme')
})
afterAll(() => on[Symbol.asyncDispose]())

async function everything(): Promise<string> {
  const paths = ['', '/roles?limit=200', '/invitations', '/api-keys', '/members']
  return (await Promise.all(paths.map(path => ann.caller.get(`/organizations/current${path}`)))).map(({ body }) => body).join('\n')
}

const hostile = [
  "'; drop table membership; --",
  '\0',
  'half a pair \ud800',
  '😀'.repeat(40),
  '../../etc/passwd',
  '<script>alert(1)</script>',
  '%00',
  'x'.repeat(20_000),
  '${process.exit(1)}',
  '__proto__',
  '',
  ' ',
]
const strangeBodies: (string | undefined)[] = [
  undefined,
  '',
  '{',
  'null',
  '[]',
  '"text"',
  '1e999',
  '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":{"admin":true}}}',
  '['.repeat(20_000) + ']'.repeat(20_000),
  '{"email":["ann@acme.example"],"password":{"$ne":null},"token":{"$gt":""},"key":1,"name":null,"organization":true,"role":0}',
]

const writes = () => on.routes.filter(({ method, takesBody }) => ['POST', 'PATCH'].includes(method) && takesBody)

const filled = (url: string) => url.replace(':organization', 'current').replace(':id', newId())

test('no strange body gets anything but a clear refusal, on any route', async () => {
  const before = await everything()
  for (const { method, url } of writes()) {
    for (const payload of strangeBodies) {
      const answer = await ann.caller.call(method, filled(url), payload === undefined ? {} : { payload })
      expectRefusal(answer, `${method} ${url} ${payload?.slice(0, 60)}`)
    }
  }
  expect(await everything()).toBe(before)
})

test.each(hostile.map(text => [text.slice(0, 30), text] as const))(
  'no hostile string in a body, path or query makes the host fail: %j',
  async (_beginning, text) => {
    const fields = ['email', 'password', 'token', 'key', 'name', 'role', 'current', 'parent', 'description', 'status', 'organization']
    for (const { method, url } of writes().filter(each => !each.url.includes('sign-up'))) {
      const answer = await ann.caller.call(method, filled(url), { payload: Object.fromEntries(fields.map(field => [field, text])) })
      expectRefusal(answer, `${method} ${url}`)
    }
    for (const { url } of on.routes.filter(({ method, url: path }) => method === 'GET' && path.includes(':'))) {
      const path = url.replaceAll(/:[a-z]+/g, encodeURIComponent(text.toWellFormed()) || '%20')
      expectRefusal(await ann.caller.get(path), `GET ${url}`)
    }
    const query = encodeURIComponent(text.toWellFormed())
    expectRefusal(await ann.caller.get(`/organizations/current/members?after=${query}`), 'after')
    expectRefusal(await ann.caller.get(`/organizations/current/permissions/explain?user=${query}&permission=${query}`), 'explain')
  },
)

function expectRefusal({ statusCode, headers, body }: Awaited<ReturnType<Caller['get']>>, what: string): void {
  expect(statusCode, what).toBeGreaterThanOrEqual(400)
  expect(statusCode, what).toBeLessThan(500)
  expect(headers['content-type'], what).toContain('application/problem+json')
  const problem = JSON.parse(body)
  expect(problem, what).toMatchObject({ status: statusCode, code: expect.any(String), requestId: headers['x-request-id'] })
  expect(body, what).not.toMatch(/\bat .*\.(?:ts|js):\d|node_modules|select |insert into/i)
}

test('text in any script is stored as it came, and SQL in it stays text', async () => {
  const name = `Zoë's 😀 "Größe"; drop table role; -- \\ ${'日本語'.repeat(5)}`
  const made = await ann.caller.post('/organizations/current/roles', { key: 'TEXT', name })
  expect(made.statusCode).toBe(201)
  expect((await ann.caller.get(`/organizations/current/roles/${made.json().id}`)).json().name).toBe(name)
  await ann.caller.delete(`/organizations/current/roles/${made.json().id}`)
})

test('what is nested deeper than anybody means it is refused by anybody, and what is less deep is kept', async () => {
  const nested = (depth: number) => `${'['.repeat(depth)}"]]\\"]"${']'.repeat(depth)}`
  const task = (depth: number) => ({ payload: `{"title":"x","data":{"a":${nested(depth - 2)}}}` })
  const tasks = '/organizations/current/tasks'
  for (const depth of [65, 2_000, 30_000]) {
    const answer = await ann.caller.call('POST', tasks, task(depth))
    expect([depth, answer.statusCode, answer.json().errors?.[0]]).toEqual([
      depth,
      400,
      { pointer: '#', detail: 'is nested more than 64 levels deep', in: 'body' },
    ])
  }
  const made = await ann.caller.call('POST', tasks, { ...task(64), headers: { 'idempotency-key': 'deep' } })
  expect(made.statusCode).toBe(201)
  expect((await ann.caller.get(`${tasks}/${made.json().id}/history`)).statusCode).toBe(200)
  const called = await new Caller(on).call('POST', `/webhooks/triggers/${ann.organization}/${newId()}`, { payload: nested(30_000) })
  expect([called.statusCode, called.json().code]).toEqual([400, 'http.invalid_request'])
})

test('text that an index has no place for is refused', async () => {
  // Of different characters, because what repeats itself is stored compressed.
  const long = Array.from({ length: 6_000 }, (_none, at) => String.fromCodePoint(0x4e00 + ((at * 7_919) % 20_000))).join('')
  const base = '/organizations/current'
  const { id } = (await ann.caller.post(`${base}/prospects`, { email: 'prospect@b.example' })).json<{ id: string }>()
  const patch = (companyDomain: string) =>
    ann.caller.call('PATCH', `${base}/prospects/${id}`, { payload: { companyDomain }, headers: { 'if-match': '*' } })
  expect((await ann.caller.post(`${base}/email-sequences`, { name: long, locale: 'en' })).json().errors).toMatchObject([
    { pointer: '#/name' },
  ])
  expect((await patch(long)).json().errors[0]).toMatchObject({ pointer: '#/companyDomain' })
  expect((await patch(long.slice(0, 200))).statusCode).toBe(200)
  const found = await ann.caller.get(`${base}/prospects?companyDomain=${'x'.repeat(2_000)}`)
  expect([found.statusCode, found.json().items]).toEqual([200, []])
})

test('an unknown field is refused by name, and nothing is signed up', async () => {
  const body = { email: 'new@new.example', password, organization: { name: 'New', plan: 'ENTERPRISE' }, isAdmin: true }
  const answer = await new Caller(on).post('/auth/sign-up', body)
  expect(answer.statusCode).toBe(400)
  expect(answer.json().errors).toEqual(
    expect.arrayContaining([
      { pointer: '#/isAdmin', detail: 'is not a field of this', in: 'body' },
      { pointer: '#/organization/plan', detail: 'is not a field of this', in: 'body' },
    ]),
  )
  expect((await new Caller(on).signIn('new@new.example')).statusCode).toBe(401)
})

test('numbers in a query arrive as text and count, but a body says what it means', async () => {
  expect((await ann.caller.get('/organizations/current/roles?limit=2')).json().items).toHaveLength(2)
  const answer = await new Caller(on).post('/auth/sign-in', { email: 1, password: true })
  expect(answer.json().errors).toEqual([
    { pointer: '#/email', detail: 'must be string', in: 'body' },
    { pointer: '#/password', detail: 'must be string', in: 'body' },
  ])
})

test.each([
  ['a body over 64 KiB', 413, 'http.body_too_large', { payload: JSON.stringify({ email: 'x'.repeat(1_000_000) }) }],
  [
    'a form',
    415,
    'http.media_type',
    { payload: 'email=a', headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'none' } },
  ],
  ['plain text', 415, 'http.media_type', { payload: '{}', headers: { 'content-type': 'text/plain', 'sec-fetch-site': 'none' } }],
  ['broken JSON', 400, 'http.invalid_request', { payload: '{"email":"a@b.example",}' }],
  ['no body', 400, 'http.invalid_request', {}],
] as const)('%s is answered with %i', async (_what, status, code, call) => {
  const answer = await new Caller(on).call('POST', '/auth/sign-in', call)
  expect([answer.statusCode, answer.json().code]).toEqual([status, code])
})

test('an unknown path, a wrong method, a broken address and an endless one each get their own answer', async () => {
  expect((await ann.caller.get('/nothing')).json()).toMatchObject({ status: 404, code: 'http.route_not_found' })
  const wrong = await ann.caller.call('PUT', `/organizations/${newId()}/roles/${newId()}`)
  expect([wrong.statusCode, wrong.headers.allow]).toEqual([405, 'DELETE, GET, HEAD, PATCH'])
  expect((await ann.caller.get('/organizations/%zz')).json().code).toBe('http.invalid_request')
  expect((await ann.caller.get(`/organizations/${'x'.repeat(5_000)}`)).json().code).toBe('http.address_too_long')
})

test('what is taken is a conflict, told without the database’s words', async () => {
  const body = { email: 'ANN@acme.example', password, organization: { name: 'Acme' } }
  const taken = await new Caller(on).post('/auth/sign-up', body)
  expect([taken.statusCode, taken.json().code]).toEqual([409, 'access.email_taken'])
  const slug = { ...body, email: 'new@new.example', organization: { name: 'Acme', slug: 'acme' } }
  expect((await new Caller(on).post('/auth/sign-up', slug)).json()).toMatchObject({ status: 409, code: 'organization.slug_taken' })
})

test('pages follow each other without a gap, and the last one says so', async () => {
  const seen: string[] = []
  let next: string | null = ''
  while (next !== null) {
    const page: { items: { id: string }[]; next: string | null } = (
      await ann.caller.get(`/organizations/current/roles?limit=3${next && `&after=${next}`}`)
    ).json()
    seen.push(...page.items.map(({ id }) => id))
    next = page.next
  }
  const all = (await ann.caller.get('/organizations/current/roles?limit=200')).json()
  expect(seen).toEqual(all.items.map(({ id }: { id: string }) => id))
  expect(new Set(seen).size).toBe(seen.length)
})

test('an instant on a day that doesn’t exist is refused wherever one is told, and its place is named', async () => {
  const { id } = (await ann.caller.post('/organizations/current/tasks', { title: 'Leap', dueAt: '2024-02-29T00:00:00Z' })).json<{
    id: string
  }>()
  const never = '2026-02-30T00:00:00Z'
  const tasks = '/organizations/current/tasks'
  const placeOf = async (asked: ReturnType<Caller['call']>) => {
    const answer = await asked
    return [answer.statusCode, answer.json<{ errors?: { pointer: string; in: string }[] }>().errors?.[0]]
  }
  expect(await placeOf(ann.caller.post(tasks, { title: 'Never', dueAt: never }))).toEqual([
    400,
    expect.objectContaining({ pointer: '#/dueAt', in: 'body' }),
  ])
  const change = ann.caller.call('PATCH', `${tasks}/${id}`, { payload: { dueAt: never }, headers: { 'if-match': '*' } })
  expect(await placeOf(change)).toEqual([400, expect.objectContaining({ pointer: '#/dueAt', in: 'body' })])
  for (const [query, name] of [
    [`tasks?dueAt=${never}`, 'dueAt'],
    [`tasks?dueAt.lt=${never}`, 'dueAt.lt'],
    [`tasks?asOf=${never}`, 'asOf'],
    [`tasks/${id}?asOf=${never}`, 'asOf'],
    [`tasks/${id}/diff?from=${never}&to=2026-03-01T00:00:00Z`, 'from'],
    [`events?since=${never}`, 'since'],
    [`events/export?until=${never}`, 'until'],
  ]) {
    const place = await placeOf(ann.caller.get(`/organizations/current/${query}`))
    expect([query, ...place]).toEqual([query, 400, expect.objectContaining({ pointer: `#/${name}`, in: 'query' })])
  }
  const french = await ann.caller.call('POST', tasks, { payload: { title: 'x', dueAt: never }, headers: { 'accept-language': 'fr' } })
  expect(french.json<{ errors: { detail: string }[] }>().errors[0]!.detail).toMatch(/^doit/)
})
