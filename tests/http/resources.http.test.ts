import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemActor, userActor } from '../../src/context/index.ts'
import { ChatMessage, Document, DocumentChat, DocumentEmbedding, Organization, Task, User } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import { asOf } from '../../src/readers/index.ts'
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

const base = '/organizations/current'

interface Page {
  readonly items: { id: string }[]
  readonly next: string | null
}

let on: TestHost
let ann: SignedUp
let zoe: SignedUp

beforeAll(async () => {
  on = await openTestHost()
  ann = await signUp(on, 'ann@acme.example', 'Acme')
  zoe = await signUp(on, 'zoe@zenith.example', 'Zenith')
})
afterAll(() => on[Symbol.asyncDispose]())

const resources = wholeResources

const pathOf = (entity: { name: string }) => collectionOf(on, entity)

describe.each(resources.map(({ entity }) => [entity.name, entity] as const))('%s', (_name, entity) => {
  test('is read: listed, found, with its history, and nowhere is anything of another tenant', async () => {
    const [mine, theirs] = [await rowFor(on, ann, entity), await rowFor(on, zoe, entity)]
    const path = `${base}/${pathOf(entity)}`
    const listed = await ann.caller.get(`${path}?limit=200&sort=-id`)
    expect([listed.statusCode, listed.json().code]).toEqual([200, undefined])
    const ids = listed.json<{ items: { id: string }[] }>().items.map(({ id }) => id)
    expect(ids).toContain(mine)
    expect(ids).not.toContain(theirs)
    const one = await ann.caller.get(`${path}/${mine}`)
    expect(one.statusCode).toBe(200)
    expect(one.json()).toEqual(listed.json<{ items: { id: string }[] }>().items.find(({ id }) => id === mine))
    expect(Object.keys(one.json())).not.toContain('tenantId')
    expect((await ann.caller.call('GET', `${path}/${mine}`, { headers: { 'if-none-match': String(one.headers.etag) } })).statusCode).toBe(
      304,
    )
    const elsewhere = await ann.caller.get(`${path}/${theirs}`)
    expect([elsewhere.statusCode, elsewhere.json().code]).toEqual([404, 'http.not_found'])
    const history = await ann.caller.get(`${path}/${mine}/history`)
    if (history.statusCode !== 404) expect(history.json().items[0].type).toMatch(/\.created$/)
  })

  test('is shown in part, and refuses what it has not', async () => {
    const path = `${base}/${pathOf(entity)}`
    const id = await rowFor(on, ann, entity)
    const part = await ann.caller.get(`${path}?fields=createdAt&limit=1&id=${id}`)
    expect(part.json().items).toEqual([{ id, createdAt: expect.any(String) as string }])
    for (const query of ['fields=tenantId', 'fields=nothing', 'tenantId=x', 'sort=nothing', 'populate=id', 'limit=0', 'limit=201']) {
      const refused = await ann.caller.get(`${path}?${query}`)
      expect([query, refused.statusCode, refused.json().code]).toEqual([query, 400, 'http.invalid_request'])
    }
  })

  test('is nobody’s without the permission', async () => {
    const made = await ann.caller.post(`${base}/api-keys`, { name: 'k', environment: 'LIVE', scopes: ['organization:read'] })
    const key = new Caller(on, { authorization: `Bearer ${made.json().secret}` })
    const id = await rowFor(on, ann, entity)
    for (const { method, url } of on.routes.filter(route => route.url.split('/')[3] === pathOf(entity) && route.method !== 'HEAD')) {
      const answer = await key.call(
        method,
        url.replace(':organization', 'current').replace(':id', id),
        method === 'GET' ? {} : { payload: {} },
      )
      expect([method, url, answer.statusCode]).toEqual([method, url, expect.toBeOneOf([400, 403])])
    }
  })
})

test('every list pages through all of it, whatever it is sorted by, once each', async () => {
  const path = `${base}/tasks`
  const wanted = new Set<string>()
  for (const dueAt of [null, '2026-11-24T08:00:00Z', '2026-11-23T08:00:00Z', null, '2026-11-23T08:00:00Z', '2026-11-25T08:00:00+02:00']) {
    wanted.add((await ann.caller.post(path, { title: 'Page', kind: 'NOTE', dueAt })).json().id)
  }
  for (const sort of ['id', '-id', 'status', '-status']) {
    const seen: string[] = []
    for (let after: string | null = ''; after !== null;) {
      const page: Page = (await ann.caller.get(`${path}?sort=${sort}&limit=2${after && `&after=${after}`}`)).json<Page>()
      seen.push(...page.items.map(({ id }) => id))
      after = page.next
    }
    expect(new Set(seen).size).toBe(seen.length)
    expect([...wanted].filter(id => !seen.includes(id))).toEqual([])
  }
})

describe('a cursor', () => {
  test('belongs to its list, its question and its organization', async () => {
    for (const title of ['a', 'b', 'c']) await ann.caller.post(`${base}/tasks`, { title })
    for (const title of ['a', 'b', 'c']) await zoe.caller.post(`${base}/tasks`, { title })
    const { next } = (await ann.caller.get(`${base}/tasks?limit=1`)).json<{ next: string }>()
    expect((await ann.caller.get(`${base}/tasks?limit=2&after=${next}`)).statusCode).toBe(200)
    const misused = [
      ann.caller.get(`${base}/tasks?limit=1&sort=-id&after=${next}`),
      ann.caller.get(`${base}/tasks?limit=1&status=NEW&after=${next}`),
      ann.caller.get(`${base}/projects?limit=1&after=${next}`),
      zoe.caller.get(`${base}/tasks?limit=1&after=${next}`),
      ann.caller.get(`${base}/tasks?limit=1&after=x${next}`),
    ]
    for (const answer of await Promise.all(misused)) expect([answer.statusCode, answer.json().code]).toEqual([400, 'http.cursor_refused'])
  })
})

describe('a task over its life', () => {
  test('is made, read, changed under its version, moved, put back, deleted and restored, and the past remembers', async () => {
    const made = await ann.caller.post(`${base}/tasks`, { title: 'Mend the pump', priority: 'HIGH', data: { floor: 2 } })
    expect([made.statusCode, made.headers.location, made.headers.etag]).toEqual([
      201,
      `/organizations/${ann.organization}/tasks/${made.json().id}`,
      '"1"',
    ])
    const at = `${base}/tasks/${made.json().id}`
    const early = new Date().toISOString()
    const unseen = await ann.caller.patch(at, { title: 'Mend both pumps' })
    expect([unseen.statusCode, unseen.json().code]).toEqual([428, 'http.condition_required'])
    const change = (payload: object, match: string) => ann.caller.call('PATCH', at, { payload, headers: { 'if-match': match } })
    expect((await change({ title: 'Mend both pumps' }, '"1"')).json()).toMatchObject({ title: 'Mend both pumps', version: 2 })
    expect((await change({ title: 'Mend none' }, '"1"')).json()).toMatchObject({ status: 412, code: 'http.condition_failed' })
    expect((await change({ status: 'DONE' }, '*')).json()).toMatchObject({ status: 400, errors: [{ pointer: '#/status' }] })
    expect((await ann.caller.post(`${at}/complete`)).json()).toMatchObject({ status: 'DONE', version: 3 })
    expect((await ann.caller.post(`${at}/block`)).json()).toMatchObject({ status: 409, code: 'state.transition_refused' })

    expect((await ann.caller.get(`${at}?asOf=${early}`)).json()).toMatchObject({ title: 'Mend the pump', status: 'NEW' })
    const { items } = (await ann.caller.get(`${at}/history?limit=2`)).json<{ items: { id: string; type: string; changes: object[] }[] }>()
    expect(items.map(({ type }) => type)).toEqual(['task.updated', 'task.updated'])
    const difference = await ann.caller.get(`${at}/diff?from=${early}&to=${items[1]!.id}`)
    expect(difference.json().changes).toContainEqual({ property: 'title', before: 'Mend the pump', after: 'Mend both pumps' })
    expect((await ann.caller.get(`${at}/why?property=title`)).json()).toMatchObject({ change: { actor: { type: 'user', id: ann.user } } })
    expect((await ann.caller.post(`${at}/revert`, { event: items[1]!.id })).json()).toMatchObject({
      title: 'Mend the pump',
      status: 'DONE',
    })

    expect((await ann.caller.delete(at)).statusCode).toBe(204)
    expect((await ann.caller.get(at)).statusCode).toBe(404)
    expect((await ann.caller.post(`${at}/restore`)).json()).toMatchObject({ title: 'Mend the pump', status: 'DONE', data: { floor: 2 } })
    expect((await ann.caller.get(`${base}/tasks?asOf=${early}&id=${made.json().id}`)).json().items).toMatchObject([{ status: 'NEW' }])
  })

  test('was somebody’s in the past whose own log nobody else sees, and is found by them', async () => {
    await ann.caller.post(`${base}/invitations`, { email: 'pat@x.example', role: await roleIdOf(ann.caller, 'MEMBER') })
    const member = new Caller(on)
    await member.post('/invitations/accept', { token: tokenFor(on.mails, 'pat@x.example'), password })
    await member.signIn('pat@x.example')
    const pat = (await member.get('/me')).json<{ user: { id: string; email: string } }>().user
    const id = await rowFor(on, ann, Task, { title: 'Pat’s', assignee: pat.id })
    const now = new Date().toISOString()
    const shown = async (query: string) => (await ann.caller.get(`${base}/tasks/${id}?populate=assignee${query}`)).json().assignee as object
    expect(await shown('')).toMatchObject({ id: pat.id, email: pat.email })
    expect(await shown(`&asOf=${now}`)).toEqual(await shown(''))
    await on.daybook.transact({ tenant: ann.organization, actor: userActor(ann.user) }, async em => {
      const past = asOf(em, now)
      expect(await past.count(Task, { assignee: { email: pat.email } })).toBe(1)
      expect((await past.find(User, {}, { orderBy: { id: 'asc' } })).map(({ email }) => email)).toEqual(
        (await em.find(User, {}, { orderBy: { id: 'asc' } })).map(({ email }) => email),
      )
      expect(await past.findOneOrFail(Organization, ann.organization)).toMatchObject({ name: 'Acme' })
    })
  })

  test('is made once for each idempotency key, with the same answer', async () => {
    const key = newId()
    const send = (payload: object, url = `${base}/tasks`) => ann.caller.call('POST', url, { payload, headers: { 'idempotency-key': key } })
    const first = await send({ title: 'Once' })
    const again = await send({ title: 'Once' })
    expect(again.json()).toEqual(first.json())
    expect([again.statusCode, again.headers.location, again.headers['idempotency-replayed']]).toEqual([201, first.headers.location, 'true'])
    expect((await send({ title: 'Twice' })).json()).toMatchObject({ status: 422, code: 'idempotency.mismatch' })
    const other = newId()
    const many = await Promise.all(
      Array.from({ length: 10 }, () =>
        ann.caller.call('POST', `${base}/tasks`, { payload: { title: 'Race' }, headers: { 'idempotency-key': other } }),
      ),
    )
    expect(many.filter(({ statusCode }) => statusCode !== 201 && statusCode !== 409)).toEqual([])
    expect(new Set(many.filter(({ statusCode }) => statusCode === 201).map(answer => answer.json().id)).size).toBe(1)
  })

  test('shows whom it points at as a whole, where that may be seen', async () => {
    const project = (await ann.caller.post(`${base}/projects`, { name: 'Pumps', slug: 'pumps' })).json()
    const error = { project: project.id, detector: 'tsc', severity: 'HIGH', message: 'No' }
    const signature = (await ann.caller.post(`${base}/error-signatures`, error)).json()
    const at = `${base}/error-signatures/${signature.id}`
    expect((await ann.caller.get(`${at}?populate=project`)).json().project).toMatchObject({ slug: 'pumps' })
    const scopes = ['error-signature:read']
    const made = await ann.caller.post(`${base}/api-keys`, { name: 'k', environment: 'LIVE', scopes })
    const key = new Caller(on, { authorization: `Bearer ${made.json().secret}` })
    expect((await key.get(at)).json().project).toBe(project.id)
    expect((await key.get(`${at}?populate=project`)).json()).toMatchObject({ status: 400, errors: [{ pointer: '#/populate' }] })
  })

  test('that points into another organization is refused like one that points nowhere', async () => {
    const theirs = (await zoe.caller.post(`${base}/projects`, { name: 'Theirs', slug: 'theirs' })).json()
    const attempts = [theirs.id, newId()].map(project =>
      ann.caller.post(`${base}/error-signatures`, { project, detector: 'tsc', severity: 'HIGH', message: 'No' }),
    )
    const [foreign, nowhere] = (await Promise.all(attempts)).map(answer => ({ ...answer.json(), requestId: '' }))
    expect(foreign).toEqual(nowhere)
    expect(foreign).toMatchObject({ status: 422, code: 'http.reference_unknown' })
  })

  test('is filtered by what has an index, each value looked at', async () => {
    await ann.caller.post(`${base}/tasks`, { title: 'Late', dueAt: '2020-01-01T00:00:00Z' })
    const late = (await ann.caller.get(`${base}/tasks?status=NEW&dueAt.lt=2020-06-01T00:00:00Z`)).json().items
    expect(late).toMatchObject([{ title: 'Late' }])
    expect((await ann.caller.get(`${base}/tasks?status.in=DONE,CANCELLED&dueAt.null=false`)).json().items).toEqual([])
    for (const query of ['status=LATE', 'status.in=NEW,LATE', 'dueAt.gt=yesterday', 'title=Late', 'dueAt.null=perhaps', 'status.gt=NEW']) {
      expect([query, (await ann.caller.get(`${base}/tasks?${query}`)).statusCode]).toEqual([query, 400])
    }
  })
})

describe('what is shown once', () => {
  test('is not kept with an idempotency key, nor shown again', async () => {
    const send = () =>
      ann.caller.call('POST', `${base}/webhook-endpoints`, {
        payload: { url: 'https://example.com/hook', events: ['task.*'] },
        headers: { 'idempotency-key': 'hook' },
      })
    const first = (await send()).json()
    expect(first.secret).toMatch(/^whsec_/)
    const again = (await send()).json()
    expect(again).toEqual({ ...first, secret: undefined })
    const at = await ann.caller.get(`${base}/webhook-endpoints/${first.id}`)
    expect(at.body).not.toContain('secret')
  })
})

test('fields for those who may do more are hidden from others, also in the past', async () => {
  const definition = { kind: 'action', action: 'greet' }
  const automation = (await ann.caller.post(`${base}/automations`, { name: 'Greet', definition })).json()
  const { execution } = (await ann.caller.post(`${base}/automations/${automation.id}/run`, { input: { who: 'Ada' } })).json()
  const at = `${base}/workflow-executions/${execution}`
  expect((await ann.caller.get(at)).json().input).toEqual({ who: 'Ada' })
  const made = await ann.caller.post(`${base}/api-keys`, { name: 'k', environment: 'LIVE', scopes: ['workflow-execution:read'] })
  const key = new Caller(on, { authorization: `Bearer ${made.json().secret}` })
  for (const url of [at, `${at}/history`, `${base}/workflow-executions`]) {
    const answer = await key.get(url)
    expect([url, answer.statusCode]).toEqual([url, 200])
    expect(answer.body).not.toContain('Ada')
  }
  expect((await key.get(`${at}?fields=input`)).statusCode).toBe(400)
  expect((await key.get(`${at}/why?property=input`)).statusCode).toBe(404)
})

test('what is reserved is not found out by looking for it, nor through what points at it', async () => {
  const document = await rowFor(on, ann, Document)
  const { storageKey } = (await ann.caller.get(`${base}/documents/${document}`)).json<{ storageKey: string }>()
  const embedding = await rowFor(on, ann, DocumentEmbedding)
  const scopes = ['document:read', 'document-embedding:read', 'workflow-execution:read', 'chat-message:read', 'document-chat:read']
  const made = await ann.caller.post(`${base}/api-keys`, { name: 'k', environment: 'LIVE', scopes })
  const key = new Caller(on, { authorization: `Bearer ${made.json().secret}` })
  for (const query of [`storageKey=${storageKey}`, `storageKey.in=${storageKey}`, 'sort=storageKey', 'fields=storageKey']) {
    expect([query, (await key.get(`${base}/documents?${query}`)).statusCode]).toEqual([query, 400])
  }
  const shown = await key.get(`${base}/document-embeddings/${embedding}?populate=document`)
  expect([shown.statusCode, Object.keys(shown.json<{ document: object }>().document)]).toEqual([
    200,
    expect.not.arrayContaining(['storageKey']) as string[],
  ])
  const mine = await ann.caller.get(`${base}/document-embeddings/${embedding}?populate=document`)
  expect(Object.keys(mine.json<{ document: object }>().document)).toContain('storageKey')
})

test('where webhooks are sent to, which may hold a secret, is shown to whoever manages them alone', async () => {
  const url = 'https://example.com/hook?token=secret'
  const { id } = (await ann.caller.post(`${base}/webhook-endpoints`, { url, events: ['task.*'] })).json<{ id: string }>()
  const made = await ann.caller.post(`${base}/api-keys`, { name: 'k', environment: 'LIVE', scopes: ['webhook-endpoint:read'] })
  const key = new Caller(on, { authorization: `Bearer ${made.json().secret}` })
  for (const path of [`/${id}`, `/${id}/history`, '', '?sort=id']) {
    const answer = await key.get(`${base}/webhook-endpoints${path}`)
    expect([path, answer.statusCode, answer.body.includes('example.com')]).toEqual([path, 200, false])
  }
  expect((await key.get(`${base}/webhook-endpoints?url=${encodeURIComponent(url)}`)).statusCode).toBe(400)
  expect((await ann.caller.get(`${base}/webhook-endpoints/${id}`)).json()).toMatchObject({ url })
})

test('what is reserved is told by the log, to whoever may read all of it, and by a row’s history not', async () => {
  const document = await rowFor(on, ann, Document)
  const scopes = ['document:read', 'audit-event:read']
  const made = await ann.caller.post(`${base}/api-keys`, { name: 'k', environment: 'LIVE', scopes })
  const key = new Caller(on, { authorization: `Bearer ${made.json().secret}` })
  expect((await key.get(`${base}/documents/${document}/history`)).body).not.toContain('storageKey')
  const [event] = (await key.get(`${base}/events?entityId=${document}`)).json<{ items: { after: object }[] }>().items
  expect(Object.keys(event!.after)).toContain('storage_key')
})

test('what is one person’s is nobody else’s, and shown as a whole through nothing', async () => {
  const [message, chat] = [await rowFor(on, ann, ChatMessage), await rowFor(on, ann, DocumentChat)]
  const scopes = ['chat-message:read', 'document-chat:read', 'calendar-connection:read', 'scheduling-event:read']
  const made = await ann.caller.post(`${base}/api-keys`, { name: 'k', environment: 'LIVE', scopes })
  const key = new Caller(on, { authorization: `Bearer ${made.json().secret}` })
  for (const path of [`chat-messages/${message}`, `chat-messages/${message}/history`, `document-chats/${chat}`]) {
    expect([path, (await key.get(`${base}/${path}`)).statusCode]).toEqual([path, 404])
    expect([path, (await ann.caller.get(`${base}/${path}`)).statusCode]).toEqual([path, 200])
  }
  expect((await key.get(`${base}/chat-messages`)).json().items).toEqual([])
  expect((await key.get(`${base}/scheduling-events?populate=connection`)).json()).toMatchObject({
    status: 400,
    errors: [{ pointer: '#/populate' }],
  })
})

test('what is one person’s nobody proposes anything about who isn’t shown it', async () => {
  const chat = await rowFor(on, ann, DocumentChat)
  const propose = async (scope: string) => {
    const scopes = [scope, 'ai-insight:create', 'approval-item:create']
    const made = await ann.caller.post(`${base}/api-keys`, { name: 'k', environment: 'LIVE', scopes })
    const key = new Caller(on, { authorization: `Bearer ${made.json().secret}` })
    const about = { subjectType: 'document-chat', subjectId: chat }
    const insight = { ...about, kind: 'tone', title: 'T', body: 'B', confidence: 1, model: 'm' }
    const answers = [
      await key.post(`${base}/approval-items`, { ...about, type: 'chat.close', reason: 'R' }),
      await key.post(`${base}/ai-insights`, insight),
    ]
    return answers.map(({ statusCode }) => statusCode)
  }
  expect(await propose('document-chat:read')).toEqual([422, 422])
  expect(await propose('document-chat:manage')).toEqual([201, 201])
  const told = (await ann.caller.get(`${base}/events?entity=document-chat&entityId=${chat}&kind=decision`)).json<Page>().items
  expect(told.length).toBe(1)
})

test('a chat is its person’s alone, whatever anybody else may do', async () => {
  const member = new Caller(on)
  await ann.caller.post(`${base}/invitations`, { email: 'bob@acme.example', role: await roleIdOf(ann.caller, 'ADMIN') })
  await member.post('/invitations/accept', { token: tokenFor(on.mails, 'bob@acme.example'), password })
  await member.signIn('bob@acme.example')
  const user = (await member.get('/me')).json().user.id
  const [message, chat] = [await rowFor(on, { ...ann, user }, ChatMessage), await rowFor(on, { ...ann, user }, DocumentChat)]
  for (const path of [`chat-messages/${message}`, `chat-messages/${message}/history`, `document-chats/${chat}`]) {
    expect([path, (await member.get(`${base}/${path}`)).statusCode]).toEqual([path, 200])
    expect([path, (await ann.caller.get(`${base}/${path}`)).statusCode]).toEqual([path, 404])
  }
  const scopes = ['document-chat:manage']
  const made = await ann.caller.post(`${base}/api-keys`, { name: 'k', environment: 'LIVE', scopes })
  const program = new Caller(on, { authorization: `Bearer ${made.json().secret}` })
  expect((await program.get(`${base}/document-chats/${chat}`)).statusCode).toBe(200)
  const seen = (await ann.caller.get(`${base}/document-chats?limit=200`)).json<Page>().items.map(({ id }) => id)
  expect(seen).not.toContain(chat)
  const now = new Date().toISOString()
  expect((await ann.caller.get(`${base}/document-chats/${chat}?asOf=${now}`)).statusCode).toBe(404)
  expect((await member.get(`${base}/document-chats/${chat}?asOf=${now}`)).statusCode).toBe(200)
  expect((await ann.caller.post(`${base}/chat-messages`, { chat, content: 'Hello' })).json().code).toBe('http.reference_unknown')
  expect((await ann.caller.delete(`${base}/document-chats/${chat}`)).statusCode).toBe(404)
  expect((await member.delete(`${base}/document-chats/${chat}`)).statusCode).toBe(204)
  const restored = await ann.caller.post(`${base}/document-chats/${chat}/restore`)
  expect([restored.statusCode, restored.json().code]).toEqual([404, 'http.not_found'])
})

test('a secret that an action shows is not kept with its idempotency key', async () => {
  const endpoint = (await ann.caller.post(`${base}/webhook-endpoints`, { url: 'https://example.com/rotated', events: ['*'] })).json()
  const rotate = () =>
    ann.caller.call('POST', `${base}/webhook-endpoints/${endpoint.id}/rotate-secret`, { headers: { 'idempotency-key': 'rotation' } })
  const { secret } = (await rotate()).json<{ secret: string }>()
  expect(secret).toMatch(/^whsec_/)
  expect((await rotate()).body).not.toContain('whsec_')
  const kept = await on.daybook.transact({ tenant: ann.organization, actor: systemActor('test') }, em =>
    em.execute<{ text: string }[]>(`select string_agg(k::text, ' ') as text from idempotency_key k`),
  )
  expect(kept[0]!.text).toContain('rotation')
  expect(kept[0]!.text).not.toContain(secret.slice('whsec_'.length))
})
