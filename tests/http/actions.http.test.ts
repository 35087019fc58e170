import { afterAll, beforeAll, expect, test } from 'vitest'
import { Document } from '../../src/entities.ts'
import { createRow } from '../../src/testing/index.ts'
import { ActionHost, base } from './action-host.ts'
import { Caller, type SignedUp, type TestHost } from './test-host.ts'

let act: ActionHost
let on: TestHost
let ann: SignedUp
let zoe: SignedUp

beforeAll(async () => {
  act = await ActionHost.open()
  ;({ on, ann, zoe } = act)
})
afterAll(() => act[Symbol.asyncDispose]())

test('times that suit several people are suggested, and a proposal is accepted', async () => {
  const body = {
    people: [ann.user],
    durationMinutes: 60,
    from: '2030-06-03T00:00:00Z',
    to: '2030-06-04T00:00:00Z',
    limit: 2,
    timeZones: { [ann.user]: 'UTC' },
  }
  await act.made('scheduling-events', {
    title: 'Taken',
    startsAt: '2030-06-03T09:00:00Z',
    endsAt: '2030-06-03T11:00:00Z',
    timeZone: 'UTC',
    organizer: ann.user,
  })
  const { slots } = await act.done<{ slots: { startsAt: string }[] }>('scheduling-events/suggest-slots', body)
  expect(slots.map(({ startsAt }) => startsAt)).toEqual(['2030-06-03T11:00:00.000Z', '2030-06-03T11:15:00.000Z'])
  const stranger = await ann.caller.post(`${base}/scheduling-events/suggest-slots`, { ...body, people: [zoe.user] })
  expect(stranger.json()).toMatchObject({ status: 422, code: 'scheduling.person_unknown' })
  const request = { title: 'Talk', organizer: ann.user, timeZone: 'UTC' }
  const { id } = await act.made('scheduling-agent-tasks', { source: 'API', type: 'FIND_TIME', request })
  await act.done(`scheduling-agent-tasks/${id}/start`)
  expect(await act.done(`scheduling-agent-tasks/${id}/propose`, { slots, rationale: 'The first that are free.' })).toMatchObject({
    status: 'PROPOSED',
  })
  expect(await act.done(`scheduling-agent-tasks/${id}/accept`, { proposal: 0 })).toMatchObject({ status: 'DONE' })
})

test('an agent’s task cancels an event once somebody accepts that, and a summary is complete without', async () => {
  const times = { startsAt: '2030-07-01T09:00:00Z', endsAt: '2030-07-01T10:00:00Z' }
  const event = (await act.made('scheduling-events', { title: 'Once', ...times, timeZone: 'UTC', organizer: ann.user })).id
  const running = async (type: string, more: object = { event }) => {
    const { id } = await act.made('scheduling-agent-tasks', { source: 'API', type, ...more })
    await act.done(`scheduling-agent-tasks/${id}/start`)
    return `scheduling-agent-tasks/${id}`
  }
  const cancelling = await running('CANCEL')
  const moved = await ann.caller.post(`${base}/${cancelling}/propose`, { slots: [times], rationale: 'No need.' })
  expect(moved.json()).toMatchObject({ status: 422, code: 'scheduling.task_invalid' })
  await act.done(`${cancelling}/propose`, { rationale: 'No need.' })
  expect(await act.done(`${cancelling}/accept`, { proposal: 0 })).toMatchObject({ status: 'DONE' })
  expect(await act.seen(`scheduling-events/${event}`)).toMatchObject({ status: 'CANCELLED', startsAt: '2030-07-01T09:00:00.000Z' })
  expect(await act.done(`${await running('SUMMARIZE')}/complete`)).toMatchObject({ status: 'DONE' })
  const finding = await running('FIND_TIME', { request: { title: 'Talk', organizer: ann.user, timeZone: 'UTC' } })
  expect((await ann.caller.post(`${base}/${finding}/complete`)).json()).toMatchObject({ code: 'scheduling.task_invalid' })
})

test('a calendar is connected by its person, and its token is shown to nobody', async () => {
  const made1 = await act.made<Record<string, unknown>>('calendar-connections', {
    provider: 'GOOGLE',
    externalAccount: 'ann@g.example',
    token: 'ya29.secret',
  })
  expect(JSON.stringify(made1)).not.toContain('ya29')
  const event = { externalId: 'x1', title: 'From there', startsAt: '2031-01-01T09:00:00Z', endsAt: '2031-01-01T10:00:00Z', timeZone: 'UTC' }
  const first = await act.done(`calendar-connections/${String(made1.id)}/import-event`, event)
  expect(await act.done(`calendar-connections/${String(made1.id)}/import-event`, { ...event, title: 'Moved' })).toEqual(first)
  await act.done(`calendar-connections/${String(made1.id)}/refresh-token`, { token: 'ya29.other' })
  expect(await act.done(`calendar-connections/${String(made1.id)}/revoke`)).toMatchObject({ status: 'REVOKED' })
})

test('one search finds in every area what whoever asks may read', async () => {
  await act.made('prospects', { email: 'pump@buyer.example', company: 'Pumpernickel' })
  const { items } = await act.seen<{ items: { resource: string; item: { company: string } }[] }>('search?words=Pumpernickel')
  expect(items).toMatchObject([{ resource: 'prospect', item: { company: 'Pumpernickel' } }])
  expect((await act.seen<{ items: object[] }>('search?words=Pumpernickel&of=document')).items).toEqual([])
  expect((await act.seen<{ items: object[] }>('search?words=Pumpernickel', zoe.caller)).items).toEqual([])
  const key = await ann.caller.post(`${base}/api-keys`, { name: 'k', environment: 'LIVE', scopes: ['organization:read', 'document:read'] })
  const program = new Caller(on, { authorization: `Bearer ${key.json().secret}` })
  expect((await act.seen<{ items: object[] }>('search?words=Pumpernickel', program)).items).toEqual([])
})

test('a template is previewed and revised, and an audit is recorded with its issues', async () => {
  const definition = { title: 'Call {{name}}', schema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } }
  const { id } = await act.made('task-templates', { key: 'call', name: 'Call', pipelineType: 'GENERIC', definition })
  expect(await act.done(`task-templates/${id}/preview`, { data: { name: 'Ada' } })).toEqual({
    title: 'Call Ada',
    description: null,
    checklist: [],
  })
  expect((await ann.caller.post(`${base}/task-templates/${id}/preview`, { data: {} })).json()).toMatchObject({
    status: 422,
    code: 'work.template_data',
  })
  expect(await act.done(`task-templates/${id}/revise`, { name: 'Ring' })).toMatchObject({ revision: 2 })
  const project = (await act.made('projects', { name: 'Site', slug: 'site' })).id
  const issues = [{ suite: 'SEO', severity: 'LOW', message: 'No title' }]
  const audit = await act.made<{ id: string; totals: object }>('audit-results', {
    project,
    url: 'https://x.example',
    scores: { SEO: 50 },
    status: 'SUCCESS',
    durationMs: 5,
    issues,
  })
  expect(audit.totals).toEqual({ LOW: 1 })
  expect((await act.seen<{ items: object[] }>(`audit-issues?result=${audit.id}`)).items).toMatchObject(issues)
})

test('a document is read by whatever reads it elsewhere, and found by meaning', async () => {
  const meta = on.daybook.orm.getMetadata().get(Document)
  const id = String((await createRow(on.daybook, ann.organization, meta, { status: 'PENDING', ocrText: null, error: null })).id)
  await act.done(`documents/${id}/start-processing`)
  expect(await act.done(`documents/${id}/complete`, { ocrText: 'Read\u00e9', pageCount: 1 })).toMatchObject({ status: 'COMPLETED' })
  expect(await act.done('document-embeddings/search', { vector: [1, 0], model: 'none' })).toEqual({ items: [] })
  const { items } = await act.done<{ items: { document: string }[] }>('documents/search-hybrid', {
    words: 'Readé',
    vector: [1, 0],
    model: 'none',
  })
  expect(items.map(({ document }) => document)).toContain(id)
})
