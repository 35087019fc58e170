import { beforeEach, describe, expect, test } from 'vitest'
import {
  createEndpoint,
  forgetFinished,
  IntakeRequest,
  OutboxMessage,
  Prospect,
  publish,
  type PublishedMessage,
  type Publisher,
  redeliverDead,
  Task,
  WebhookEndpoint,
} from '../../src/entities.ts'
import { type TopicRule } from '../../src/domain/system/internal.ts'
import { jobsWith, runJob, startReactions } from '../../src/jobs/index.ts'
import { useFirm } from '../setup/use-firm.ts'

const { firm, work } = useFirm()
let received: PublishedMessage[]
let refuse: (message: PublishedMessage) => boolean

beforeEach(() => {
  received = []
  refuse = () => false
})

const say = (topic: string, n: number, key?: string) => work(async em => publish(em, topic, { n }, key ? { key } : {}))
const messages = () => work(em => em.find(OutboxMessage, {}, { orderBy: { position: 'asc' } }))
const later = (seconds: number) => new Date(Date.now() + seconds * 1_000)
const numbers = () => received.map(({ payload }) => (payload as { n: number }).n)

const publisher: Publisher = {
  publish: message => {
    if (message.tenantId !== firm.tenant) return Promise.resolve()
    if (refuse(message)) return Promise.reject(new Error('The broker is away.'))
    received.push(message)
    return Promise.resolve()
  },
}
const job = jobsWith({ publisher }).find(({ name }) => name === 'relay-messages')!
const relay = (at = new Date()) => runJob(firm.daybook, job, { at })

async function react(outbox: readonly TopicRule[]): Promise<void> {
  await using follower = startReactions(firm.daybook, { pollMs: 10, outbox })
  await follower.caughtUp()
}

describe('what is said', () => {
  test('goes out once, after the commit, and nothing goes out of what is rolled back', async () => {
    const failing = work(async em => {
      publish(em, 'greetings', { n: 0 })
      await em.flush()
      throw new Error('No.')
    })
    await expect(failing).rejects.toThrow('No.')
    const { id, position } = await say('greetings', 1)
    expect((await relay()).status).toBe('OK')
    await relay()
    expect(received).toEqual([{ id, tenantId: firm.tenant, topic: 'greetings', key: id, position, payload: { n: 1 } }])
    expect(await messages()).toMatchObject([
      { status: 'SENT', attempts: 1, lockedBy: null, error: null, publishedAt: expect.any(Date) as Date },
    ])
  })

  test('under one key goes out in order, and one that fails holds up those behind it and nobody else', async () => {
    for (const n of [1, 2, 3]) await say('numbers', n, 'a')
    await say('numbers', 4, 'b')
    refuse = ({ payload }) => (payload as { n: number }).n === 2
    await relay()
    expect(new Set(numbers())).toEqual(new Set([1, 4]))
    await relay()
    expect(await messages()).toMatchObject([
      { status: 'SENT' },
      { status: 'PENDING', attempts: 1, error: 'The broker is away.' },
      { status: 'PENDING', attempts: 0, lockedBy: null },
      { status: 'SENT' },
    ])
    refuse = () => false
    await relay(later(2))
    expect(numbers().slice(-2)).toEqual([2, 3])
  })

  test('in one flush keeps its order, also when there is more than one takes at a time', async () => {
    await work(async em => {
      for (let n = 0; n < 70; n++) publish(em, 'numbers', { n }, { key: 'one' })
    })
    await relay()
    expect(numbers()).toEqual(Array.from({ length: 70 }, (_none, n) => n))
  })

  test('goes out when its time has come', async () => {
    await work(async em => publish(em, 'numbers', { n: 1 }, { availableAt: later(3_600) }))
    await relay()
    expect(received).toEqual([])
    await relay(later(3_601))
    expect(numbers()).toEqual([1])
  })

  test('is tried again later each time, given up in the end, and goes out again under its id', async () => {
    refuse = () => true
    const { id } = await say('numbers', 1, 'a')
    let waits: number[] = []
    for (let at = new Date(); ;) {
      await relay(at)
      const [message] = await messages()
      if (message!.status === 'DEAD') break
      const waitMs = message!.availableAt.getTime() - Math.max(at.getTime(), Date.now())
      waits = [...waits, waitMs]
      at = new Date(message!.availableAt.getTime() + 1)
    }
    expect(waits).toHaveLength(24)
    waits.forEach((waitMs, failed) => {
      const most = Math.min(1_000 * 2 ** failed, 3_600_000)
      expect(waitMs).toBeLessThanOrEqual(most)
      expect(waitMs).toBeGreaterThan(most / 2 - 1_000)
    })
    await say('numbers', 2, 'a')
    refuse = () => false
    await relay(later(1))
    expect(numbers()).toEqual([2])
    expect(await work(em => redeliverDead(em, 'others'))).toBe(0)
    expect(await work(em => redeliverDead(em, 'numbers'))).toBe(1)
    await relay(later(1))
    expect(received.at(-1)).toMatchObject({ id, payload: { n: 1 } })
    expect(received.at(-1)!.position).toBeLessThan(received[0]!.position)
    await work(async em => (await em.findOneOrFail(OutboxMessage, id)).redeliver(new Date()))
    await relay(later(1))
    expect(received.map(message => message.id).filter(each => each === id)).toHaveLength(2)
  })

  test('is removed a week after it was sent, and kept for as long as it wasn’t', async () => {
    refuse = ({ topic }) => topic === 'refused'
    await say('refused', 1)
    await say('numbers', 2)
    await relay()
    const week = later(7 * 24 * 3_600 + 60)
    expect(await work(em => forgetFinished(em, { at: later(6 * 24 * 3_600) }))).toBe(0)
    expect(await work(em => forgetFinished(em, { at: week, dryRun: true }))).toBe(1)
    expect(await work(em => forgetFinished(em, { at: week }))).toBe(1)
    expect(await messages()).toMatchObject([{ topic: 'refused' }])
  })

  test('holds no entity, and goes to no topic that can’t be called so', async () => {
    const task = await work(async em => em.create(Task, { title: 'Fire' }))
    const attempt = (topic: string, payload: Record<string, unknown>) => work(async em => publish(em, topic, payload))
    await expect(attempt('tasks', { tasks: [{ task }] })).rejects.toMatchObject({ code: 'outbox.payload_refused' })
    for (const topic of ['', 'two words', 'x'.repeat(250)]) {
      await expect(attempt(topic, {})).rejects.toMatchObject({ code: 'outbox.topic_invalid' })
    }
    const told = work(em =>
      em.execute(`insert into outbox_message (id, tenant_id, topic, key, payload) values (gen_random_uuid(), ?, 'two words', 'k', '{}')`, [
        firm.tenant,
      ]),
    )
    await expect(told).rejects.toMatchObject({ code: '23514' })
  })
})

describe('a topic that follows events', () => {
  test('is told of each once, in the order of what happened to each', async () => {
    const rules = [{ topic: 'tasks', entities: [Task], actions: ['created', 'updated'] }]
    const task = await work(async em => em.create(Task, { title: 'Fire' }))
    await work(async em => void ((await em.findOneOrFail(Task, task.id)).title = 'Flood'))
    await work(async em => void em.remove(await em.findOneOrFail(Task, task.id)))
    await work(async em => void em.create(Prospect, { email: 'ada@example.com' }))
    await Promise.all([react(rules), react(rules)])
    await react(rules)
    await relay()
    expect(received.map(({ topic, key, payload }) => [topic, key, (payload as { type: string }).type])).toEqual([
      ['tasks', task.id, 'task.created'],
      ['tasks', task.id, 'task.updated'],
    ])
    expect(received[1]!.payload).toMatchObject({
      data: { entity: 'task', entityId: task.id, changed: expect.arrayContaining(['title']) as string[], after: { title: 'Flood' } },
    })
    expect(await messages()).toMatchObject([{ payload: null }, { payload: null }])
  })

  test('is told neither secrets nor what tells of a person', async () => {
    await work(async em => {
      em.create(IntakeRequest, {
        source: 'FORM',
        subject: 'Help',
        body: 'I am Ada',
        requesterEmail: 'ada@example.com',
        receivedAt: new Date(),
      })
      await createEndpoint(em, { url: 'https://receiver.example.com/', events: ['*'] })
    })
    await react([{ topic: 'all', entities: [IntakeRequest, WebhookEndpoint], events: ['decision.*'] }])
    await relay()
    const [request, endpoint] = received.map(({ payload }) => payload as { data: { changed: string[]; after: object } })
    expect(request!.data.after).toMatchObject({ subject: 'Help' })
    expect(endpoint!.data.after).toMatchObject({ url: 'https://receiver.example.com/' })
    const text = JSON.stringify(received)
    for (const word of ['ada@', 'Ada', 'daybook:', 'whsec']) expect(text).not.toContain(word)
  })

  test('that is misspelt or can’t be followed is found before anything happens', () => {
    const start = (rule: TopicRule) => () => startReactions(firm.daybook, { outbox: [rule] })
    expect(start({ topic: 'tasks' })).toThrow(expect.objectContaining({ code: 'webhook.event_pattern' }))
    expect(start({ topic: 'tasks', entities: [Task], actions: ['Created'] })).toThrow(
      expect.objectContaining({ code: 'webhook.event_pattern' }),
    )
    expect(start({ topic: 'a topic', entities: [Task] })).toThrow(expect.objectContaining({ code: 'outbox.topic_invalid' }))
    expect(start({ topic: 'outbox', entities: [OutboxMessage] })).toThrow(expect.objectContaining({ code: 'outbox.topic_unfollowed' }))
  })
})
