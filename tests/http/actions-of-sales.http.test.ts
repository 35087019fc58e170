import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Message } from '../../src/entities.ts'
import { createRow } from '../../src/testing/index.ts'
import { ActionHost, base } from './action-host.ts'
import { Caller, type SignedUp, type TestHost } from './test-host.ts'

let act: ActionHost
let on: TestHost
let ann: SignedUp

beforeAll(async () => {
  act = await ActionHost.open()
  ;({ on, ann } = act)
})
afterAll(() => act[Symbol.asyncDispose]())

describe('sales', () => {
  test('a campaign that runs is told why it keeps its sequence, and anything else of it is changed', async () => {
    const [sequence, other] = [await act.made('email-sequences', { name: 'One' }), await act.made('email-sequences', { name: 'Two' })]
    await act.made('sequence-steps', { sequence: sequence.id, position: 1, subject: 'Hi', bodyTemplate: 'Hello' })
    await act.done(`email-sequences/${sequence.id}/activate`)
    const campaign = `campaigns/${(await act.made('campaigns', { name: 'Autumn', sequence: sequence.id })).id}`
    await act.done(`${campaign}/run`)
    const patch = (payload: object) => ann.caller.call('PATCH', `${base}/${campaign}`, { payload, headers: { 'if-match': '*' } })
    expect((await patch({ sequence: other.id })).json()).toMatchObject({ status: 409, code: 'sales.campaign_running' })
    expect((await patch({ name: 'Winter', sequence: sequence.id.toUpperCase() })).statusCode).toBe(200)
    await act.done(`${campaign}/pause`)
    expect((await patch({ sequence: other.id })).json()).toMatchObject({ sequence: other.id })
  })

  test('a message follows what its provider tells, and a step is previewed, changed and removed', async () => {
    const prospect = (await act.made('prospects', { email: 'ada@b.example', firstName: 'Ada <b>' })).id
    const sequence = (await act.made('email-sequences', { name: 'Hello' })).id
    const { id } = await act.made('sequence-steps', {
      sequence,
      position: 1,
      subject: 'Hi {{firstName}}',
      bodyTemplate: 'Dear {{firstName}}',
    })
    await act.done(`sequence-steps/${id}/change`, { subject: 'Hello {{firstName}}' })
    expect(await act.done(`sequence-steps/${id}/preview`, { prospect })).toEqual({ subject: 'Hello Ada <b>', body: 'Dear Ada &lt;b&gt;' })
    expect(await act.done(`sequence-steps/${id}/remove`)).toEqual({ removed: id })
    const message = String(
      (
        await createRow(on.daybook, ann.organization, on.daybook.orm.getMetadata().get(Message), {
          status: 'QUEUED',
          direction: 'OUTBOUND',
        })
      ).id,
    )
    expect(await act.done(`messages/${message}/record-sent`, { at: '2026-01-01T08:00:00Z' })).toMatchObject({
      status: 'SENT',
      sentAt: '2026-01-01T08:00:00.000Z',
    })
    expect(await act.done(`messages/${message}/record-opened`, {})).toMatchObject({ status: 'OPENED' })
    expect(await act.done(`messages/${message}/record-delivered`, {})).toMatchObject({ status: 'OPENED' })
    const insight = {
      subjectType: 'prospect',
      subjectId: prospect,
      kind: 'fit',
      title: 'Fits',
      body: 'Because.',
      confidence: 0.7,
      model: 'm-1',
    }
    expect(await act.made('ai-insights', insight)).toMatchObject({ status: 'NEW', subjectId: prospect })
    const task = (await act.made('tasks', { title: 'Call' })).id
    expect(await act.done(`tasks/${task}/link-prospect`, { prospect })).toMatchObject({ prospectId: prospect })
  })

  test('readers are taken over from a list once, and end by hand', async () => {
    const subscribers = ['a@r.example', 'B@r.example', 'a@r.example'].map(email => ({ email, source: 'list' }))
    expect(await act.done('newsletter-subscribers/import', { subscribers })).toEqual({ added: 2, known: 0 })
    expect(await act.done('newsletter-subscribers/import', { subscribers })).toEqual({ added: 0, known: 2 })
    const [{ id }] = (await act.seen<{ items: [{ id: string }] }>('newsletter-subscribers?email=a@r.example')).items
    const { token } = await act.done<{ token: string }>(`newsletter-subscribers/${id}/unsubscribe-token`)
    expect((await new Caller(on).post(`/newsletters/unsubscribe?token=${token}`)).json()).toEqual({ status: 'UNSUBSCRIBED' })
    expect(await act.done(`newsletter-subscribers/${id}/complain`)).toMatchObject({ status: 'COMPLAINED' })
  })
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
