import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { WebhookDelivery } from '../../src/entities.ts'
import { resetQuotas } from '../../src/domain/billing/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { ActionHost, base } from './action-host.ts'
import { type Caller, roleIdOf, type SignedUp, type TestHost } from './test-host.ts'

let act: ActionHost
let on: TestHost
let ann: SignedUp
let zoe: SignedUp

beforeAll(async () => {
  act = await ActionHost.open()
  ;({ on, ann, zoe } = act)
})
afterAll(() => act[Symbol.asyncDispose]())

describe('quotas', () => {
  test('are shown as they stand, and no use gets past them, however many try at once', async () => {
    const use = (requestId: string, quantity = 1) => zoe.caller.post(`${base}/usage-events/use`, { metric: 'FIXES', requestId, quantity })
    const before = await act.seen<{ items: { metric: string; used: number; limit: number | null }[] }>('quota-counters/current', zoe.caller)
    expect(before.items.find(({ metric }) => metric === 'FIXES')).toMatchObject({ used: 0, limit: 5 })
    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => use(`r${index}`)))
    expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(5)
    expect(answers.filter(({ statusCode }) => statusCode === 429).every(answer => answer.json().code === 'billing.quota_exceeded')).toBe(
      true,
    )
    const after = await act.seen<typeof before>('quota-counters/current', zoe.caller)
    expect(after.items.find(({ metric }) => metric === 'FIXES')).toMatchObject({ used: 5, limit: 5 })
    expect((await act.seen<{ items: object[] }>('subscriptions/plans')).items).toHaveLength(4)
  })

  test('begin again when the organization says', async () => {
    const saysWhen = async () => (await zoe.caller.get(base)).json<{ quotaResetAt: string | null }>().quotaResetAt
    const before = await saysWhen()
    await on.daybook.transact({ tenant: zoe.organization, actor: systemActor('test') }, em => resetQuotas(em, new Date('2026-02-03')))
    expect([before, await saysWhen()]).toEqual([null, '2026-03-01T00:00:00.000Z'])
  })
})

test('settings are read as they hold, set, and put back', async () => {
  const key = 'retention.deleted-days'
  const valueOf = async () =>
    (await act.seen<{ items: { key: string; value: unknown }[] }>('system-settings/current')).items.find(each => each.key === key)!.value
  const initial = await valueOf()
  expect(await act.done('system-settings/put', { key, value: 7 })).toEqual({ key, value: 7 })
  expect(await valueOf()).toBe(7)
  expect((await ann.caller.post(`${base}/system-settings/put`, { key, value: 0 })).json()).toMatchObject({
    status: 422,
    code: 'system.setting_invalid',
  })
  expect(await act.done('system-settings/clear', { key })).toEqual({ key, value: initial })
  expect((await ann.caller.post(`${base}/system-settings/put`, { key: 'nothing', value: 1 })).statusCode).toBe(400)
})

test('an endpoint is tested with news of itself, and what was given up is sent again', async () => {
  const { id } = await act.made('webhook-endpoints', { url: 'https://example.com/hook', events: ['task.*'] })
  const { delivery } = await act.done<{ delivery: string }>(`webhook-endpoints/${id}/test`)
  expect(await act.seen(`webhook-deliveries/${delivery}`)).toMatchObject({
    status: 'PENDING',
    endpoint: id,
    eventType: 'webhook-endpoint.created',
  })
  await on.daybook.transact({ tenant: ann.organization, actor: systemActor('test') }, async em =>
    (await em.findOneOrFail(WebhookDelivery, delivery)).abandon('Nobody there.'),
  )
  expect(await act.done(`webhook-endpoints/${id}/resend-dead`)).toEqual({ resent: 1 })
  expect(await act.seen(`webhook-deliveries/${delivery}`)).toMatchObject({ status: 'PENDING', error: null })
  expect(await act.done(`webhook-endpoints/${id}/resend-dead`)).toEqual({ resent: 0 })
})

test('what is told of events is set up by whoever may read the log, and by nobody else', async () => {
  const worker = (await act.member('hal@acme.example', 'MEMBER')).caller
  const url = 'https://example.com/listening'
  const endpoint = (await act.made('webhook-endpoints', { url, events: ['task.created'] })).id
  const automation = (await act.made('automations', { name: 'Listens', definition: { kind: 'webhook', url } }, worker)).id
  const onEvent = { automation, type: 'EVENT', config: { event: 'chat-message.created' } }
  for (const [path, body] of [
    ['webhook-endpoints', { url: `${url}/to-me`, events: ['chat-message.*'] }],
    [`webhook-endpoints/${endpoint}/listen-for`, { events: ['*'] }],
    ['workflow-triggers', onEvent],
  ] as const) {
    const refused = await worker.post(`${base}/${path}`, body)
    expect([path, refused.statusCode, refused.json().code]).toEqual([path, 403, 'access.denied'])
  }
  expect(await act.seen(`webhook-endpoints/${endpoint}`)).toMatchObject({ events: ['task.created'] })
  await act.made('workflow-triggers', { automation, type: 'WEBHOOK' }, worker)
  await act.made('workflow-triggers', onEvent)
})

test('what is told of events is switched on again and brought back by nobody else either', async () => {
  const keys = ['workflow-trigger', 'workflow-execution', 'automation', 'webhook-endpoint'].map(name => `${name}:manage`)
  await act.made('roles', { key: 'HOOKS', name: 'Hooks', permissions: keys })
  const worker = (await act.member('ivy@acme.example', 'HOOKS')).caller
  const patch = (path: string, payload: object, caller = worker) =>
    caller.call('PATCH', `${base}/${path}`, { payload, headers: { 'if-match': '*' } })
  const refused = async (path: string, asked: ReturnType<Caller['call']>) => {
    const answer = await asked
    expect([path, answer.statusCode, answer.json().code]).toEqual([path, 403, 'access.denied'])
  }
  const url = 'https://example.com/on-events'
  const automation = (await act.made('automations', { name: 'On events', definition: { kind: 'webhook', url } })).id
  const trigger = (await act.made('workflow-triggers', { automation, type: 'EVENT', config: { event: 'task.created' } })).id
  const endpoint = (await act.made('webhook-endpoints', { url, events: ['task.created'] })).id
  const one = `workflow-triggers/${trigger}`

  expect((await patch(one, { isActive: false })).statusCode).toBe(200)
  await refused('activate', patch(one, { isActive: true }))
  const [off] = (await act.seen<{ items: { id: string }[] }>(`${one}/history`)).items
  await refused('revert', worker.post(`${base}/${one}/revert`, { event: off!.id }))
  expect(await act.seen(one)).toMatchObject({ isActive: false })
  expect((await patch(one, { isActive: true }, ann.caller)).statusCode).toBe(200)
  await worker.delete(`${base}/${one}`)
  await refused('restore', worker.post(`${base}/${one}/restore`))
  await act.done(`${one}/restore`)

  expect((await patch(`automations/${automation}`, { name: 'Renamed' })).statusCode).toBe(200)
  await act.done(`automations/${automation}/deactivate`, undefined, worker)
  await refused('automation', worker.post(`${base}/automations/${automation}/activate`))
  await act.done(`automations/${automation}/activate`)

  await act.done(`webhook-endpoints/${endpoint}/disable`, undefined, worker)
  await refused('enable', worker.post(`${base}/webhook-endpoints/${endpoint}/enable`))
  await act.done(`webhook-endpoints/${endpoint}/enable`)

  const run = (await act.done<{ execution: string }>(`automations/${automation}/run`, { input: { told: 'an event' } })).execution
  expect(Object.keys(await act.seen(`workflow-executions/${run}`, worker))).toEqual(expect.not.arrayContaining(['input']))
  expect(await act.seen(`workflow-executions/${run}`)).toMatchObject({ input: { told: 'an event' } })
})

describe('grants', () => {
  test('reach as far as whoever gives them, and no denial is lifted by whom it binds', async () => {
    const admin = await act.member('adm@acme.example', 'ADMIN')
    const viewer = await act.member('vic@acme.example', 'VIEWER')
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
    expect(await act.done(`user-permissions/${denied.json().id}/revoke`)).toEqual({ revoked: denied.json().id })
    await act.done(`user-permissions/${given.json().id}/revoke`, undefined, admin.caller)
    expect((await viewer.caller.post(`${base}/tasks`, { title: 'Mine' })).statusCode).toBe(403)
  })

  test('are for members alone, and may be for a while', async () => {
    const role = await roleIdOf(ann.caller, 'PM')
    const stranger = await ann.caller.post(`${base}/user-roles`, { user: zoe.user, role })
    expect(stranger.json()).toMatchObject({ status: 422, code: 'http.reference_unknown' })
    const { id } = await act.made('user-roles', { user: ann.user, role, expiresAt: '2099-01-01T00:00:00Z' })
    expect(await act.done(`user-roles/${id}/revoke`)).toEqual({ revoked: id })
  })
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
  expect((await act.seen<{ items: object[] }>('job-runs?job=retention')).items).toMatchObject([{ job: 'retention', status: 'OK' }])
})
