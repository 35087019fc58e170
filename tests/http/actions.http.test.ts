/** Long because it tries one action after the other, over one host with its people. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agentActor, systemActor } from '../../src/context/index.ts'
import { decideAsAgent, Document, Message, OrchestrationAgent, Task, type Tools, WebhookDelivery } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import { createRow } from '../../src/testing/index.ts'
import { Caller, openTestHost, password, roleIdOf, type SignedUp, signUp, type TestHost, tokenFor } from './test-host.ts'

const base = '/organizations/current'

const tools: Tools = {
  rename: async (em, { task, title }) => {
    const found = await em.findOneOrFail(Task, String(task))
    found.title = String(title)
  },
  break: () => Promise.reject(new Error('The tool broke.')),
}

let on: TestHost
let ann: SignedUp
let zoe: SignedUp

beforeAll(async () => {
  on = await openTestHost({ tools })
  ann = await signUp(on, 'ann@acme.example', 'Acme')
  zoe = await signUp(on, 'zoe@zenith.example', 'Zenith')
})
afterAll(() => on[Symbol.asyncDispose]())

async function made<T = { id: string }>(path: string, body: object, caller = ann.caller): Promise<T> {
  const answer = await caller.post(`${base}/${path}`, body)
  expect([path, answer.statusCode, answer.json().code]).toEqual([path, 201, undefined])
  return answer.json<T>()
}
async function done<T = Record<string, unknown>>(path: string, body?: object, caller = ann.caller): Promise<T> {
  const answer = await caller.post(`${base}/${path}`, body)
  expect([path, answer.statusCode, answer.json().code]).toEqual([path, 200, undefined])
  return answer.json<T>()
}
const seen = async <T = Record<string, unknown>>(path: string, caller = ann.caller) => {
  const answer = await caller.get(`${base}/${path}`)
  expect([path, answer.statusCode]).toEqual([path, 200])
  return answer.json<T>()
}
async function member(email: string, role: string): Promise<{ caller: Caller; user: string }> {
  await ann.caller.post(`${base}/invitations`, { email, role: await roleIdOf(ann.caller, role) })
  await new Caller(on).post('/invitations/accept', { token: tokenFor(on.mails, email), password })
  const caller = new Caller(on)
  await caller.signIn(email)
  return { caller, user: (await caller.get('/me')).json().user.id }
}

describe('a decision of an agent', () => {
  async function decided(tool: string, confidence: number): Promise<{ decision: string; task: string }> {
    const task = (await made('tasks', { title: 'Before' })).id
    const agent = (
      await made('orchestration-agents', {
        name: `Agent ${newId()}`,
        instructions: 'Tidy up.',
        tools: ['rename', 'break', 'missing'],
        minConfidence: 0.8,
        maxRisk: 1,
        providerConfig: await provider(),
      })
    ).id
    const decision = await on.daybook.transact({ tenant: ann.organization, actor: agentActor(agent) }, async em => {
      const subject = await em.findOneOrFail(Task, task)
      const told = {
        type: 'task.rename',
        subject,
        subjectType: 'task',
        inputSource: 'task',
        input: { confidential: 'of few' },
        reasoning: 'It says more.',
        confidence,
      }
      return decideAsAgent(em, await em.findOneOrFail(OrchestrationAgent, agent), {
        ...told,
        actions: [{ tool, parameters: { task, title: 'After' } }],
      })
    })
    return { decision: decision.id, task }
  }
  const provider = async () => (await made('ai-provider-configs', { name: newId(), provider: 'OPENAI', model: 'm' })).id

  test('that is unsure is carried out when somebody approves it, and points back to them', async () => {
    const { decision, task } = await decided('rename', 0.5)
    const early = await ann.caller.post(`${base}/agent-decisions/${decision}/execute`)
    expect(early.json()).toMatchObject({ status: 409, code: 'agents.approval_needed' })
    expect(await done(`agent-decisions/${decision}/approve`, { rationale: 'It is better.' })).toMatchObject({ status: 'EXECUTED' })
    expect((await seen(`tasks/${task}`)).title).toBe('After')
    expect(await seen(`tasks/${task}/why?property=title`)).toMatchObject({
      decision: { type: 'decision.proposed', told: { type: 'task.rename' } },
      approval: { told: { rationale: 'It is better.' } },
    })
    expect((await ann.caller.post(`${base}/agent-decisions/${decision}/approve`, { rationale: 'Again.' })).statusCode).toBe(409)
  })

  test('that is sure is carried out without, or says why it failed', async () => {
    const sure = await decided('rename', 0.9)
    expect(await done(`agent-decisions/${sure.decision}/execute`)).toMatchObject({ status: 'EXECUTED' })
    const why = `tasks/${sure.task}/why?property=title`
    expect(await seen(why)).toMatchObject({ decision: { told: { inputs: { confidential: 'of few' }, rationale: 'It says more.' } } })
    const viewer = (await member('vic@acme.example', 'VIEWER')).caller
    const told = (await seen<{ decision: { told: object } }>(why, viewer)).decision.told
    expect(told).toMatchObject({ type: 'task.rename', rationale: 'It says more.' })
    expect(told).not.toHaveProperty('inputs')
    const broken = await decided('break', 0.9)
    expect(await done(`agent-decisions/${broken.decision}/execute`)).toMatchObject({ status: 'FAILED', error: 'The tool broke.' })
    const unknown = await decided('missing', 0.9)
    const answer = await ann.caller.post(`${base}/agent-decisions/${unknown.decision}/execute`)
    expect(answer.json()).toMatchObject({ status: 422, code: 'agents.tool_unknown' })
  })

  test('is overridden by another one, which says what it takes the place of', async () => {
    const other = await decided('rename', 0.9)
    await done(`agent-decisions/${other.decision}/override`, { outcome: { title: 'Neither' }, rationale: 'Both were wrong.' })
    const { items } = await seen<{ items: object[] }>('decisions?limit=1')
    const told = { type: 'task.rename', outcome: { title: 'Neither' }, rationale: 'Both were wrong.' }
    expect(items[0]).toMatchObject({ type: 'decision.overrode', actor: { id: ann.user }, told })
  })

  test('is judged by whoever may approve alone', async () => {
    const { decision } = await decided('rename', 0.5)
    const mem = await member('mem@acme.example', 'MEMBER')
    for (const verb of ['approve', 'override', 'execute']) {
      const body = verb === 'override' ? { outcome: {}, rationale: 'x' } : { rationale: 'x' }
      const answer = await mem.caller.post(`${base}/agent-decisions/${decision}/${verb}`, verb === 'execute' ? undefined : body)
      expect([verb, answer.statusCode]).toEqual([verb, 403])
    }
  })
})

test('something is proposed for approval by its name in the log, if whoever asks may see it', async () => {
  const task = (await made('tasks', { title: 'Refund' })).id
  const theirs = (await made('tasks', { title: 'Theirs' }, zoe.caller)).id
  const proposal = { type: 'task.refund', subjectType: 'task', reason: 'It broke.', payload: { amount: 5 } }
  expect(await made('approval-items', { ...proposal, subjectId: task })).toMatchObject({ status: 'PENDING', subjectId: task })
  for (const [subjectType, subjectId] of [
    ['task', theirs],
    ['task', newId()],
    ['nothing', task],
    ['audit-event', task],
  ]) {
    const answer = await ann.caller.post(`${base}/approval-items`, { ...proposal, subjectType, subjectId })
    expect([subjectType, answer.statusCode, answer.json().code]).toEqual([subjectType, 422, 'http.reference_unknown'])
  }
})

test('times that suit several people are suggested, and a proposal is accepted', async () => {
  const body = {
    people: [ann.user],
    durationMinutes: 60,
    from: '2030-06-03T00:00:00Z',
    to: '2030-06-04T00:00:00Z',
    limit: 2,
    timeZones: { [ann.user]: 'UTC' },
  }
  await made('scheduling-events', {
    title: 'Taken',
    startsAt: '2030-06-03T09:00:00Z',
    endsAt: '2030-06-03T11:00:00Z',
    timeZone: 'UTC',
    organizer: ann.user,
  })
  const { slots } = await done<{ slots: { startsAt: string }[] }>('scheduling-events/suggest-slots', body)
  expect(slots.map(({ startsAt }) => startsAt)).toEqual(['2030-06-03T11:00:00.000Z', '2030-06-03T11:15:00.000Z'])
  const stranger = await ann.caller.post(`${base}/scheduling-events/suggest-slots`, { ...body, people: [zoe.user] })
  expect(stranger.json()).toMatchObject({ status: 422, code: 'scheduling.person_unknown' })
  const request = { title: 'Talk', organizer: ann.user, timeZone: 'UTC' }
  const { id } = await made('scheduling-agent-tasks', { source: 'API', type: 'FIND_TIME', request })
  await done(`scheduling-agent-tasks/${id}/start`)
  expect(await done(`scheduling-agent-tasks/${id}/propose`, { slots, rationale: 'The first that are free.' })).toMatchObject({
    status: 'PROPOSED',
  })
  expect(await done(`scheduling-agent-tasks/${id}/accept`, { proposal: 0 })).toMatchObject({ status: 'DONE' })
})

test('a calendar is connected by its person, and its token is shown to nobody', async () => {
  const made1 = await made<Record<string, unknown>>('calendar-connections', {
    provider: 'GOOGLE',
    externalAccount: 'ann@g.example',
    token: 'ya29.secret',
  })
  expect(JSON.stringify(made1)).not.toContain('ya29')
  const event = { externalId: 'x1', title: 'From there', startsAt: '2031-01-01T09:00:00Z', endsAt: '2031-01-01T10:00:00Z', timeZone: 'UTC' }
  const first = await done(`calendar-connections/${String(made1.id)}/import-event`, event)
  expect(await done(`calendar-connections/${String(made1.id)}/import-event`, { ...event, title: 'Moved' })).toEqual(first)
  await done(`calendar-connections/${String(made1.id)}/refresh-token`, { token: 'ya29.other' })
  expect(await done(`calendar-connections/${String(made1.id)}/revoke`)).toMatchObject({ status: 'REVOKED' })
})

test('one search finds in every area what whoever asks may read', async () => {
  await made('prospects', { email: 'pump@buyer.example', company: 'Pumpernickel' })
  const { items } = await seen<{ items: { resource: string; item: { company: string } }[] }>('search?words=Pumpernickel')
  expect(items).toMatchObject([{ resource: 'prospect', item: { company: 'Pumpernickel' } }])
  expect((await seen<{ items: object[] }>('search?words=Pumpernickel&of=document')).items).toEqual([])
  expect((await seen<{ items: object[] }>('search?words=Pumpernickel', zoe.caller)).items).toEqual([])
  const key = await ann.caller.post(`${base}/api-keys`, { name: 'k', environment: 'LIVE', scopes: ['organization:read', 'document:read'] })
  const program = new Caller(on, { authorization: `Bearer ${key.json().secret}` })
  expect((await seen<{ items: object[] }>('search?words=Pumpernickel', program)).items).toEqual([])
})

describe('quotas', () => {
  test('are shown as they stand, and no use gets past them, however many try at once', async () => {
    const use = (requestId: string, quantity = 1) => zoe.caller.post(`${base}/usage-events/use`, { metric: 'FIXES', requestId, quantity })
    const before = await seen<{ items: { metric: string; used: number; limit: number | null }[] }>('quota-counters/current', zoe.caller)
    expect(before.items.find(({ metric }) => metric === 'FIXES')).toMatchObject({ used: 0, limit: 5 })
    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => use(`r${index}`)))
    expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(5)
    expect(answers.filter(({ statusCode }) => statusCode === 429).every(answer => answer.json().code === 'billing.quota_exceeded')).toBe(
      true,
    )
    const after = await seen<typeof before>('quota-counters/current', zoe.caller)
    expect(after.items.find(({ metric }) => metric === 'FIXES')).toMatchObject({ used: 5, limit: 5 })
    expect((await seen<{ items: object[] }>('subscriptions/plans')).items).toHaveLength(4)
  })
})

test('settings are read as they hold, set, and put back', async () => {
  const key = 'retention.deleted-days'
  const valueOf = async () =>
    (await seen<{ items: { key: string; value: unknown }[] }>('system-settings/current')).items.find(each => each.key === key)!.value
  const initial = await valueOf()
  expect(await done('system-settings/put', { key, value: 7 })).toEqual({ key, value: 7 })
  expect(await valueOf()).toBe(7)
  expect((await ann.caller.post(`${base}/system-settings/put`, { key, value: 0 })).json()).toMatchObject({
    status: 422,
    code: 'system.setting_invalid',
  })
  expect(await done('system-settings/clear', { key })).toEqual({ key, value: initial })
  expect((await ann.caller.post(`${base}/system-settings/put`, { key: 'nothing', value: 1 })).statusCode).toBe(400)
})

test('an endpoint is tested with news of itself, and what was given up is sent again', async () => {
  const { id } = await made('webhook-endpoints', { url: 'https://example.com/hook', events: ['task.*'] })
  const { delivery } = await done<{ delivery: string }>(`webhook-endpoints/${id}/test`)
  expect(await seen(`webhook-deliveries/${delivery}`)).toMatchObject({
    status: 'PENDING',
    endpoint: id,
    eventType: 'webhook-endpoint.created',
  })
  await on.daybook.transact({ tenant: ann.organization, actor: systemActor('test') }, async em =>
    (await em.findOneOrFail(WebhookDelivery, delivery)).abandon('Nobody there.'),
  )
  expect(await done(`webhook-endpoints/${id}/resend-dead`)).toEqual({ resent: 1 })
  expect(await seen(`webhook-deliveries/${delivery}`)).toMatchObject({ status: 'PENDING', error: null })
  expect(await done(`webhook-endpoints/${id}/resend-dead`)).toEqual({ resent: 0 })
})

test('what is told of events is set up by whoever may read the log, and by nobody else', async () => {
  const worker = (await member('hal@acme.example', 'MEMBER')).caller
  const url = 'https://example.com/listening'
  const endpoint = (await made('webhook-endpoints', { url, events: ['task.created'] })).id
  const automation = (await made('automations', { name: 'Listens', definition: { kind: 'webhook', url } }, worker)).id
  const onEvent = { automation, type: 'EVENT', config: { event: 'chat-message.created' } }
  for (const [path, body] of [
    ['webhook-endpoints', { url: `${url}/to-me`, events: ['chat-message.*'] }],
    [`webhook-endpoints/${endpoint}/listen-for`, { events: ['*'] }],
    ['workflow-triggers', onEvent],
  ] as const) {
    const refused = await worker.post(`${base}/${path}`, body)
    expect([path, refused.statusCode, refused.json().code]).toEqual([path, 403, 'access.denied'])
  }
  expect(await seen(`webhook-endpoints/${endpoint}`)).toMatchObject({ events: ['task.created'] })
  await made('workflow-triggers', { automation, type: 'WEBHOOK' }, worker)
  await made('workflow-triggers', onEvent)
})

describe('grants', () => {
  test('reach as far as whoever gives them, and no denial is lifted by whom it binds', async () => {
    const admin = await member('adm@acme.example', 'ADMIN')
    const viewer = await member('vic@acme.example', 'VIEWER')
    const grant = (caller: Caller, body: object) => caller.post(`${base}/user-permissions`, body)
    const given = await grant(admin.caller, { user: viewer.user, permission: 'task:create', effect: 'ALLOW' })
    expect(given.statusCode).toBe(201)
    expect((await viewer.caller.post(`${base}/tasks`, { title: 'Mine' })).statusCode).toBe(201)
    const beyond = await grant(admin.caller, { user: viewer.user, permission: 'organization:manage', effect: 'ALLOW' })
    expect(beyond.json()).toMatchObject({ status: 403, code: 'access.grant_exceeds_own' })
    const upwards = await grant(admin.caller, { user: ann.user, permission: 'role:manage', effect: 'DENY' })
    expect(upwards.json()).toMatchObject({ status: 403, code: 'access.grant_exceeds_own' })
    const denied = await grant(ann.caller, { user: admin.user, permission: 'role:delete', effect: 'DENY' })
    const lifted = await admin.caller.post(`${base}/user-permissions/${denied.json().id}/revoke`)
    expect(lifted.json()).toMatchObject({ status: 403, code: 'access.grant_exceeds_own' })
    expect(await done(`user-permissions/${denied.json().id}/revoke`)).toEqual({ revoked: denied.json().id })
    await done(`user-permissions/${given.json().id}/revoke`, undefined, admin.caller)
    expect((await viewer.caller.post(`${base}/tasks`, { title: 'Mine' })).statusCode).toBe(403)
  })

  test('are for members alone, and may be for a while', async () => {
    const role = await roleIdOf(ann.caller, 'PM')
    const stranger = await ann.caller.post(`${base}/user-roles`, { user: zoe.user, role })
    expect(stranger.json()).toMatchObject({ status: 422, code: 'http.reference_unknown' })
    const { id } = await made('user-roles', { user: ann.user, role, expiresAt: '2099-01-01T00:00:00Z' })
    expect(await done(`user-roles/${id}/revoke`)).toEqual({ revoked: id })
  })
})

describe('sales', () => {
  test('a message follows what its provider tells, and a step is previewed, changed and removed', async () => {
    const prospect = (await made('prospects', { email: 'ada@b.example', firstName: 'Ada <b>' })).id
    const sequence = (await made('email-sequences', { name: 'Hello' })).id
    const { id } = await made('sequence-steps', { sequence, position: 1, subject: 'Hi {{firstName}}', bodyTemplate: 'Dear {{firstName}}' })
    await done(`sequence-steps/${id}/change`, { subject: 'Hello {{firstName}}' })
    expect(await done(`sequence-steps/${id}/preview`, { prospect })).toEqual({ subject: 'Hello Ada <b>', body: 'Dear Ada &lt;b&gt;' })
    expect(await done(`sequence-steps/${id}/remove`)).toEqual({ removed: id })
    const message = String(
      (
        await createRow(on.daybook, ann.organization, on.daybook.orm.getMetadata().get(Message), {
          status: 'QUEUED',
          direction: 'OUTBOUND',
        })
      ).id,
    )
    expect(await done(`messages/${message}/record-sent`, { at: '2026-01-01T08:00:00Z' })).toMatchObject({
      status: 'SENT',
      sentAt: '2026-01-01T08:00:00.000Z',
    })
    expect(await done(`messages/${message}/record-opened`, {})).toMatchObject({ status: 'OPENED' })
    expect(await done(`messages/${message}/record-delivered`, {})).toMatchObject({ status: 'OPENED' })
    const insight = {
      subjectType: 'prospect',
      subjectId: prospect,
      kind: 'fit',
      title: 'Fits',
      body: 'Because.',
      confidence: 0.7,
      model: 'm-1',
    }
    expect(await made('ai-insights', insight)).toMatchObject({ status: 'NEW', subjectId: prospect })
    const task = (await made('tasks', { title: 'Call' })).id
    expect(await done(`tasks/${task}/link-prospect`, { prospect })).toMatchObject({ prospectId: prospect })
  })

  test('readers are taken over from a list once, and end by hand', async () => {
    const subscribers = ['a@r.example', 'B@r.example', 'a@r.example'].map(email => ({ email, source: 'list' }))
    expect(await done('newsletter-subscribers/import', { subscribers })).toEqual({ added: 2, known: 0 })
    expect(await done('newsletter-subscribers/import', { subscribers })).toEqual({ added: 0, known: 2 })
    const [{ id }] = (await seen<{ items: [{ id: string }] }>('newsletter-subscribers?email=a@r.example')).items
    const { token } = await done<{ token: string }>(`newsletter-subscribers/${id}/unsubscribe-token`)
    expect((await new Caller(on).post(`/newsletters/unsubscribe?token=${token}`)).json()).toEqual({ status: 'UNSUBSCRIBED' })
    expect(await done(`newsletter-subscribers/${id}/complain`)).toMatchObject({ status: 'COMPLAINED' })
  })
})

test('a template is previewed and revised, and an audit is recorded with its issues', async () => {
  const definition = { title: 'Call {{name}}', schema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } }
  const { id } = await made('task-templates', { key: 'call', name: 'Call', pipelineType: 'GENERIC', definition })
  expect(await done(`task-templates/${id}/preview`, { data: { name: 'Ada' } })).toEqual({
    title: 'Call Ada',
    description: null,
    checklist: [],
  })
  expect((await ann.caller.post(`${base}/task-templates/${id}/preview`, { data: {} })).json()).toMatchObject({
    status: 422,
    code: 'work.template_data',
  })
  expect(await done(`task-templates/${id}/revise`, { name: 'Ring' })).toMatchObject({ revision: 2 })
  const project = (await made('projects', { name: 'Site', slug: 'site' })).id
  const issues = [{ suite: 'SEO', severity: 'LOW', message: 'No title' }]
  const audit = await made<{ id: string; totals: object }>('audit-results', {
    project,
    url: 'https://x.example',
    scores: { SEO: 50 },
    status: 'SUCCESS',
    durationMs: 5,
    issues,
  })
  expect(audit.totals).toEqual({ LOW: 1 })
  expect((await seen<{ items: object[] }>(`audit-issues?result=${audit.id}`)).items).toMatchObject(issues)
})

test('a document is read by whatever reads it elsewhere, and found by meaning', async () => {
  const meta = on.daybook.orm.getMetadata().get(Document)
  const id = String((await createRow(on.daybook, ann.organization, meta, { status: 'PENDING', ocrText: null, error: null })).id)
  await done(`documents/${id}/start-processing`)
  expect(await done(`documents/${id}/complete`, { ocrText: 'Read\u00e9', pageCount: 1 })).toMatchObject({ status: 'COMPLETED' })
  expect(await done('document-embeddings/search', { vector: [1, 0], model: 'none' })).toEqual({ items: [] })
  const { items } = await done<{ items: { document: string }[] }>('documents/search-hybrid', {
    words: 'Readé',
    vector: [1, 0],
    model: 'none',
  })
  expect(items.map(({ document }) => document)).toContain(id)
})

test('what ran for an organization is seen there alone', async () => {
  const insert = (tenant: string) =>
    on.daybook.transact({ kind: 'operator', actor: systemActor('test'), reason: 'test' }, em =>
      em.execute(
        `insert into job_run (id, job, tenant_id, status, started_at, finished_at) values (?, 'retention', ?, 'OK', now(), now())`,
        [newId(), tenant],
      ),
    )
  await insert(ann.organization)
  await insert(zoe.organization)
  expect((await seen<{ items: object[] }>('job-runs?job=retention')).items).toMatchObject([{ job: 'retention', status: 'OK' }])
})

test('an action under an idempotency key is done once', async () => {
  const send = () =>
    ann.caller.call('POST', `${base}/newsletter-subscribers/import`, {
      payload: { subscribers: [{ email: 'once@r.example', source: 'list' }] },
      headers: { 'idempotency-key': 'import-1' },
    })
  const [first, again] = [await send(), await send()]
  expect([first.json(), again.json(), again.headers['idempotency-replayed']]).toEqual([
    { added: 1, known: 0 },
    { added: 1, known: 0 },
    'true',
  ])
})
