import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { createEndpoint, dropOldSecret, rotateEndpointSecret, Task, WebhookDelivery, WebhookEndpoint } from '../../src/entities.ts'
import { type JobReport, jobsWith, runJob, startReactions } from '../../src/jobs/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { guardedPost } from '../../src/kernel/outgoing.ts'
import { webhookDoubt } from '../../src/kernel/standard-webhooks.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { useFirm } from '../setup/use-firm.ts'

interface Received {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

const { firm, work } = useFirm()
let secret: string
let answers: number[]
const received: Received[] = []
const receiver = createServer(async (request, response) => {
  received.push({ headers: request.headers, body: await text(request) })
  response.writeHead(answers.shift() ?? 200).end()
})
const url = () => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/${firm.tenant}`

beforeAll(() => new Promise<void>(resolve => receiver.listen(0, '127.0.0.1', resolve)))
afterAll(() => void receiver.close())
beforeEach(async () => {
  received.length = 0
  answers = []
  await work(async em => {
    const made = await createEndpoint(em, { url: 'https://example.com', events: ['task.*'] })
    secret = made.secret
    // Such an address isn't taken; this one is the test's own.
    made.endpoint.url = url()
  })
})

const addTask = (title: string) => work(em => Promise.resolve(em.create(Task, { title })))
const deliveries = () => work(em => em.find(WebhookDelivery, {}, { orderBy: { eventId: 'asc' } }))
const endpoint = (em: ScopedEntityManager) => em.findOneOrFail(WebhookEndpoint, {})
const believed = ({ headers, body }: Received, by: string) => webhookDoubt(headers, body, [by], new Date()) === undefined
/** What arrived for this tenant: another test's deliveries may be due at the same time. */
const mine = () => received.filter(({ body }) => body.includes('Fire') || body.includes('Flood'))

async function react(): Promise<void> {
  await using follower = startReactions(firm.daybook, { pollMs: 10 })
  await follower.caughtUp()
}

async function deliver(at = new Date(), post = guardedPost({ allowPrivate: true })): Promise<JobReport> {
  const job = jobsWith({ post }).find(({ name }) => name === 'deliver-webhooks')!
  return runJob(firm.daybook, job, { at })
}

describe('an endpoint', () => {
  test('that is deleted while it is called is nobody’s failure', async () => {
    await addTask('Fire')
    await react()
    const post = async () => {
      await work(async em => void em.remove(await endpoint(em)))
      return { status: 200, body: '' }
    }
    expect(await deliver(new Date(), post)).toMatchObject({ status: 'OK', failed: 0 })
    expect(await deliveries()).toEqual([])
  })

  test('is told what it listens for, signed, once, in its own tenant', async () => {
    const other = newId()
    await firm.daybook.transact({ tenant: other, actor: systemActor('clerk') }, em =>
      Promise.resolve(em.create(Task, { title: 'Flood elsewhere' })),
    )
    const task = await addTask('Fire')
    await react()
    await react()
    await deliver()
    await deliver()
    const [call, ...more] = mine()
    expect(more).toEqual([])
    expect(JSON.parse(call!.body)).toMatchObject({
      type: 'task.created',
      data: { entity: 'task', entityId: task.id, after: { title: 'Fire' }, actor: { type: 'system', id: 'clerk' } },
    })
    expect(call!.headers['webhook-id']).toBe((JSON.parse(call!.body) as { data: { id: string } }).data.id)
    expect(believed(call!, secret)).toBe(true)
    expect(await deliveries()).toMatchObject([{ status: 'OK', attempt: 1, responseStatus: 200, nextAttemptAt: null }])
  })

  test('that fails is told again later, and the fourth day is the last', async () => {
    answers = [500, 429, 200]
    await addTask('Fire')
    await react()
    await deliver()
    expect(await deliveries()).toMatchObject([{ status: 'FAILED', attempt: 1, responseStatus: 500, error: 'It was answered 500.' }])
    await deliver()
    expect(mine()).toHaveLength(1)
    await deliver(new Date(Date.now() + 6_000))
    expect(await deliveries()).toMatchObject([{ status: 'FAILED', attempt: 2, responseStatus: 429 }])
    await deliver(new Date(Date.now() + 3_600_000))
    expect(await deliveries()).toMatchObject([{ status: 'OK', attempt: 3 }])
  })

  test('that is gone is told nothing more', async () => {
    answers = [410]
    await addTask('Fire')
    await addTask('Flood')
    await react()
    await work(async em =>
      (await em.findOneOrFail(WebhookDelivery, {}, { orderBy: { eventId: 'desc' } })).take(new Date(Date.now() + 1_000)),
    )
    await deliver()
    expect(await work(endpoint)).toMatchObject({ isActive: false, disabledAt: expect.any(Date) as Date })
    await deliver(new Date(Date.now() + 3_600_000))
    expect(mine()).toHaveLength(1)
    expect((await deliveries()).map(({ status }) => status)).toEqual(['DEAD', 'DEAD'])
  })

  test('is believed by its old and by its new secret while they are exchanged', async () => {
    const next = await work(async em => rotateEndpointSecret(em, await endpoint(em)))
    await addTask('Fire')
    await react()
    await deliver()
    expect([secret, next].map(each => believed(mine()[0]!, each))).toEqual([true, true])
    await work(async em => dropOldSecret(await endpoint(em)))
    await addTask('Flood')
    await react()
    await deliver()
    expect([secret, next].map(each => believed(mine()[1]!, each))).toEqual([false, true])
  })

  test('is told once, however many processes deliver', async () => {
    for (let task = 0; task < 30; task++) await addTask(`Fire ${task}`)
    await Promise.all([react(), react()])
    await Promise.all(Array.from({ length: 5 }, () => deliver()))
    await deliver()
    expect(mine()).toHaveLength(30)
    expect(new Set(mine().map(({ headers }) => headers['webhook-id'])).size).toBe(30)
  })

  describe('to which many go at once', () => {
    const together = async (failureCount: number, attempt: number) => {
      await work(em => {
        for (let task = 0; task < 20; task++) em.create(Task, { title: `Fire ${task}` })
        return Promise.resolve()
      })
      await react()
      await work(async em => {
        Object.assign(await endpoint(em), { failureCount })
        for (const delivery of await em.find(WebhookDelivery, {})) delivery.attempt = attempt
      })
    }

    test('and which is back is told each once', async () => {
      await together(3, 0)
      await deliver()
      await deliver(new Date(Date.now() + 120_000))
      expect(mine()).toHaveLength(20)
      expect(new Set((await deliveries()).map(({ status, attempt }) => `${status} ${attempt}`))).toEqual(new Set(['OK 1']))
      expect(await work(endpoint)).toMatchObject({ failureCount: 0, isActive: true })
    })

    test('and which gives up on all of them is disabled', async () => {
      answers = Array.from({ length: 20 }, () => 500)
      await together(0, 9)
      await deliver()
      expect(await work(endpoint)).toMatchObject({ failureCount: 20, isActive: false })
      expect((await deliveries()).every(({ status }) => status === 'DEAD')).toBe(true)
    })
  })

  test('is told what is dead when somebody says so', async () => {
    await addTask('Fire')
    await react()
    await work(async em => (await em.findOneOrFail(WebhookDelivery, {})).abandon('by hand'))
    await deliver()
    expect(mine()).toEqual([])
    await work(async em => (await em.findOneOrFail(WebhookDelivery, {})).resend(new Date()))
    await deliver()
    expect(mine()).toHaveLength(1)
  })

  test('keeps its secrets sealed', async () => {
    for (const table of ['webhook_endpoint', 'audit_event']) {
      const [row] = await work(em => em.execute<{ text: string }[]>(`select string_agg(t::text, ' ') as text from ${table} t`))
      expect(row!.text).toContain(url())
      expect(row!.text).not.toContain(secret.slice('whsec_'.length, -4))
    }
  })

  test.each([
    ['outgoing.address_refused', { url: 'https://10.0.0.1', events: ['*'] }],
    ['outgoing.address_refused', { url: 'https://localhost/hook', events: ['*'] }],
    ['outgoing.address_refused', { url: 'https://db.internal', events: ['*'] }],
    ['outgoing.address_refused', { url: 'http://example.com', events: ['*'] }],
    ['webhook.event_pattern', { url: 'https://example.com', events: [] }],
    ['webhook.event_pattern', { url: 'https://example.com', events: ['task'] }],
    ['webhook.event_pattern', { url: 'https://example.com', events: ['*.created'] }],
  ])('isn’t made: %s', async (code, input) => {
    await expect(work(em => createEndpoint(em, input))).rejects.toMatchObject({ code })
  })
})
