import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { Subscription } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import { webhookHeaders } from '../../src/kernel/standard-webhooks.ts'
import { Caller, openTestHost, type SignedUp, signUp, type TestHost } from './test-host.ts'

const secret = 'whsec_of_the_endpoint'
const base = '/organizations/current'

let on: TestHost
let ann: SignedUp
let zoe: SignedUp
let nobody: Caller

beforeAll(async () => {
  on = await openTestHost({ stripeSecrets: ['whsec_newer', secret] })
  ann = await signUp(on, 'ann@acme.example', 'Acme')
  zoe = await signUp(on, 'zoe@zenith.example', 'Zenith')
  nobody = new Caller(on)
})
afterAll(() => on[Symbol.asyncDispose]())

const seconds = (at: Date) => Math.floor(at.getTime() / 1_000)
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000)

describe('an event of Stripe’s', () => {
  interface Told {
    readonly type?: string
    readonly created?: Date
    readonly status?: string
    readonly customer?: string
    readonly metadata?: object
  }
  const eventFor = (organization: string, { type = 'customer.subscription.updated', created = new Date(), ...told }: Told = {}) => ({
    id: `evt_${newId()}`,
    type,
    created: seconds(created),
    livemode: true,
    data: {
      object: {
        id: `sub_${organization}`,
        object: 'subscription',
        customer: 'cus_1',
        status: 'active',
        items: { data: [{ price: { id: 'price_1' }, current_period_start: 1_790_000_000, current_period_end: 1_792_600_000 }] },
        metadata: { plan: 'STARTER', organization },
        ...told,
      },
    },
  })
  const signatureOf = (body: string, { at = new Date(), by = secret } = {}) =>
    `t=${seconds(at)},v1=${createHmac('sha256', by)
      .update(`${seconds(at)}.${body}`)
      .digest('hex')}`
  const send = (body: string, signature = signatureOf(body)) =>
    nobody.call('POST', '/webhooks/stripe', {
      payload: body,
      headers: { 'stripe-signature': signature, 'content-type': 'application/json; charset=utf-8' },
    })
  const tell = (event: object) => send(JSON.stringify(event))
  const standing = async ({ caller }: SignedUp) => {
    const [subscription] = (await caller.get(`${base}/subscriptions?sort=-id&limit=1`)).json<{
      items: { status: string; cancelAt: string | null }[]
    }>().items
    return { plan: (await caller.get(base)).json<{ plan: string }>().plan, status: subscription?.status }
  }

  test('gives the organization what it pays for, once however often it comes', async () => {
    const event = eventFor(ann.organization, { type: 'customer.subscription.created', created: minutesAgo(3) })
    const first = await tell(event)
    expect([first.statusCode, first.json().status]).toEqual([200, 'PROCESSED'])
    const again = await Promise.all(Array.from({ length: 10 }, () => tell(event)))
    expect(again.map(answer => [answer.statusCode, answer.json()])).toEqual(again.map(() => [200, first.json()]))
    expect(await standing(ann)).toEqual({ plan: 'STARTER', status: 'ACTIVE' })
    expect((await ann.caller.get(`${base}/billing-events`)).json().items).toHaveLength(1)
    expect(await standing(zoe)).toEqual({ plan: 'FREE', status: undefined })
  })

  test('that comes late is set aside', async () => {
    const newer = eventFor(ann.organization, { created: minutesAgo(1), metadata: { plan: 'PROFESSIONAL', organization: ann.organization } })
    const older = eventFor(ann.organization, { created: minutesAgo(2), status: 'past_due' })
    expect((await tell(newer)).json().status).toBe('PROCESSED')
    expect((await tell(older)).json().status).toBe('IGNORED')
    expect(await standing(ann)).toEqual({ plan: 'PROFESSIONAL', status: 'ACTIVE' })
  })

  test('is told by the log as Stripe’s doing', async () => {
    const { items } = (await ann.caller.get(`${base}/events?entity=subscription&limit=1`)).json<{ items: { actor: object }[] }>()
    expect(items[0]!.actor).toEqual({ type: 'system', id: 'stripe' })
  })

  test.each([
    ['by another secret', (body: string) => signatureOf(body, { by: 'whsec_stolen' })],
    ['too long ago', (body: string) => signatureOf(body, { at: minutesAgo(6) })],
    ['for a time to come', (body: string) => signatureOf(body, { at: minutesAgo(-6) })],
    ['for another body', () => signatureOf('{}')],
    ['with nothing', () => ''],
    ['with something else', () => 't=yesterday,v1=zz'],
  ])('that is signed %s is refused, and changes nothing', async (_how, sign) => {
    const before = await standing(zoe)
    const body = JSON.stringify(eventFor(zoe.organization))
    const answer = await send(body, sign(body))
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'billing.signature_refused'])
    expect(await standing(zoe)).toEqual(before)
  })

  test('is believed by each of the secrets that are in use', async () => {
    const body = JSON.stringify(eventFor(ann.organization, { type: 'invoice.paid' }))
    const answer = await send(body, signatureOf(body, { by: 'whsec_newer' }))
    expect([answer.statusCode, answer.json()]).toEqual([200, { event: null, status: 'IGNORED' }])
  })

  test.each([
    ['names nobody', {}],
    ['names an organization that doesn’t exist', { organization: newId() }],
    ['names something else', { organization: "'; drop table subscription; --" }],
  ])('of a subscription that %s is refused, so that Stripe shows it', async (_what, metadata) => {
    const answer = await tell(eventFor(newId(), { metadata: { plan: 'STARTER', ...metadata } }))
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'billing.organization_unknown'])
  })

  test.each([
    ['is no JSON', '{'],
    ['is no event', '[]'],
    ['has no subscription', JSON.stringify({ id: 'evt_1', type: 'customer.subscription.updated', created: 1, data: { object: {} } })],
    ['has a time beyond time', JSON.stringify({ id: 'evt_1', type: 'x', created: 1e300, data: { object: {} } })],
  ])('that %s is refused although it is signed', async (_what, body) => {
    const answer = await send(body)
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'http.invalid_request'])
  })

  test('with a NUL in it, or larger than any, is no failure of ours', async () => {
    const nul = await tell(eventFor(ann.organization, { customer: 'cus\0' }))
    expect([nul.statusCode, nul.json().code]).toEqual([422, 'http.value_refused'])
    const huge = await send(JSON.stringify({ text: 'x'.repeat(300 * 1024) }))
    expect([huge.statusCode, huge.json().code]).toEqual([413, 'http.body_too_large'])
  })

  test('is not believed where no secret is given', async () => {
    await using quiet = await openTestHost()
    const body = JSON.stringify(eventFor(ann.organization))
    const answer = await new Caller(quiet).call('POST', '/webhooks/stripe', {
      payload: body,
      headers: { 'stripe-signature': signatureOf(body, { by: '' }) },
    })
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'billing.signature_refused'])
  })

  test('that is told of by many at once ends where the newest says', async () => {
    const at = (minutes: number) => minutesAgo(minutes)
    const events = [5, 4, 3, 2].map((minutes, index) =>
      eventFor(zoe.organization, {
        created: at(minutes),
        metadata: { plan: ['FREE', 'STARTER', 'PROFESSIONAL', 'ENTERPRISE'][index]!, organization: zoe.organization },
      }),
    )
    const answers = await Promise.all(events.toReversed().map(tell))
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200])
    expect((await standing(zoe)).plan).toBe('ENTERPRISE')
    const count = await on.daybook.transact({ tenant: zoe.organization, actor: systemActor('test') }, em => em.count(Subscription, {}))
    expect(count).toBe(1)
  })
})

describe('a call of a trigger', () => {
  interface Called {
    readonly url: string
    readonly webhookSecret: string
    readonly automation: string
    readonly trigger: string
  }
  async function listening({ caller, organization }: SignedUp, type = 'WEBHOOK'): Promise<Called> {
    const made = { name: `Greet ${newId()}`, definition: { kind: 'action', action: 'greet' } }
    const { id, webhookSecret } = (await caller.post(`${base}/automations`, made)).json<{ id: string; webhookSecret: string }>()
    const trigger = (await caller.post(`${base}/workflow-triggers`, { automation: id, type })).json<{ id: string }>().id
    return { url: `/webhooks/triggers/${organization}/${trigger}`, webhookSecret, automation: id, trigger }
  }
  const call = (
    { url, webhookSecret }: Pick<Called, 'url' | 'webhookSecret'>,
    body: string,
    { id = newId(), at = new Date() } = {},
    more: object = {},
  ) => nobody.call('POST', url, { payload: body, headers: { ...webhookHeaders({ id, at, body }, [webhookSecret]), ...more } })
  const runs = async ({ caller }: SignedUp) =>
    (await caller.get(`${base}/workflow-executions?limit=200`)).json<{ items: object[] }>().items.length
  const refused = async (answer: ReturnType<typeof call>) => {
    const { statusCode, json } = await answer
    expect([statusCode, json<{ code: string }>().code]).toEqual([401, 'automation.webhook_refused'])
  }

  test('starts a run with what was sent, once for each id, however many send it at once', async () => {
    const called = await listening(ann)
    const id = newId()
    const answers = await Promise.all(Array.from({ length: 12 }, () => call(called, '{"who":"Ada"}', { id })))
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(answers.map(() => 202))
    const executions = new Set(answers.map(answer => answer.json<{ execution: string }>().execution))
    expect(executions.size).toBe(1)
    const execution = (await ann.caller.get(`${base}/workflow-executions/${[...executions][0]}`)).json()
    expect(execution).toMatchObject({ automation: called.automation, trigger: called.trigger, input: { body: { who: 'Ada' } } })
    expect((await call(called, '{"who":"Ada"}')).json().execution).not.toBe(execution.id)
  })

  test('takes text of any kind, from any site', async () => {
    const called = await listening(ann)
    const more = { 'content-type': 'text/plain', origin: 'https://n8n.example', 'sec-fetch-site': 'cross-site' }
    expect((await call(called, 'hello', {}, more)).statusCode).toBe(202)
    expect((await call(called, '', {}, more)).statusCode).toBe(202)
  })

  test('is refused unless it is signed for this body, now, by this automation', async () => {
    const called = await listening(ann)
    const other = await listening(ann)
    const before = await runs(ann)
    const at = new Date()
    const headers = webhookHeaders({ id: newId(), at, body: '{}' }, [called.webhookSecret])
    await refused(nobody.call('POST', called.url, { payload: '{"evil":1}', headers: { ...headers } }))
    await refused(nobody.call('POST', called.url, { payload: '{}', headers: { ...headers, 'webhook-id': newId() } }))
    await refused(nobody.call('POST', called.url, { payload: '{}', headers: { ...headers, 'webhook-timestamp': String(seconds(at) + 1) } }))
    for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const) {
      const { [name]: _left, ...rest } = headers
      await refused(nobody.call('POST', called.url, { payload: '{}', headers: rest }))
    }
    await refused(nobody.call('POST', called.url, { payload: '{}' }))
    await refused(call(called, '{}', { at: minutesAgo(6) }))
    await refused(call({ ...called, webhookSecret: other.webhookSecret }, '{}'))
    expect(await runs(ann)).toBe(before)
  })

  test('of another organization’s trigger is refused like one of none, whoever signs it', async () => {
    const [mine, hers] = [await listening(ann), await listening(zoe)]
    const before = [await runs(ann), await runs(zoe)]
    const through = (organization: string, trigger: string) => `/webhooks/triggers/${organization}/${trigger}`
    const answers = await Promise.all(
      [
        through(ann.organization, hers.trigger),
        through(zoe.organization, mine.trigger),
        through(newId(), mine.trigger),
        through(ann.organization, newId()),
        through(ann.organization, hers.automation),
      ].flatMap(url => [mine, hers].map(({ webhookSecret }) => call({ url, webhookSecret }, '{}'))),
    )
    const told = answers.map(answer => ({ ...answer.json<object>(), requestId: '' }))
    expect(new Set(told.map(each => JSON.stringify(each))).size).toBe(1)
    expect(told[0]).toMatchObject({ status: 401, code: 'automation.webhook_refused' })
    expect([await runs(ann), await runs(zoe)]).toEqual(before)
  })

  test('starts nothing where nothing listens any more', async () => {
    const called = await listening(ann)
    const spare = (await ann.caller.post(`${base}/workflow-triggers`, { automation: called.automation, type: 'WEBHOOK' })).json<{
      id: string
    }>()
    await ann.caller.patch(`${base}/workflow-triggers/${called.trigger}`, { isActive: false })
    await refused(call(called, '{}'))
    const beside = { ...called, url: called.url.replace(called.trigger, spare.id) }
    expect((await call(beside, '{}')).statusCode).toBe(202)
    await ann.caller.post(`${base}/automations/${called.automation}/deactivate`)
    expect((await call(beside, '{}')).json()).toMatchObject({ status: 409, code: 'automation.inactive' })
    await refused(call(await listening(ann, 'API'), '{}'))
  })

  test('holds nothing that can’t be kept, nor more than is read', async () => {
    const called = await listening(ann)
    for (const body of ['{"text":"\\u0000"}', '{"text":"\\ud800"}', 'raw \0 byte']) {
      const answer = await call(called, body)
      expect([body, answer.statusCode]).toEqual([body, 422])
    }
    expect((await call(called, 'x'.repeat(300 * 1024))).statusCode).toBe(413)
    expect((await call(called, '{}', { id: 'x'.repeat(8_000) })).statusCode).toBe(400)
    expect((await call({ ...called, url: `/webhooks/triggers/${ann.organization}/nothing` }, '{}')).statusCode).toBe(400)
  })

  test('comes no more often from one address than may be asked', async () => {
    await using strict = await openTestHost({ rateLimits: { requests: 5 } })
    const statuses: number[] = []
    for (let attempt = 0; attempt < 7; attempt++) {
      statuses.push((await new Caller(strict).call('POST', `/webhooks/triggers/${newId()}/${newId()}`, { payload: '{}' })).statusCode)
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429])
  })
})
