import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import {
  type Actions,
  addTrigger,
  Automation,
  type AutomationDefinition,
  createAutomation,
  fireSchedules,
  Organization,
  receiveCall,
  startAutomation,
  IntakeRequest,
  Task,
  type TriggerInput,
  WorkflowExecution,
  WorkflowTrigger,
} from '../../src/entities.ts'
import { jobsWith, runJob, startReactions } from '../../src/jobs/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { guardedPost } from '../../src/kernel/outgoing.ts'
import { webhookDoubt, webhookHeaders } from '../../src/kernel/standard-webhooks.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { history, replayProblems } from '../../src/readers/index.ts'
import { useFirm } from '../setup/use-firm.ts'

const { firm, work } = useFirm()
let secret: string

const automation = (em: ScopedEntityManager) => em.findOneOrFail(Automation, { name: 'Greet' })
const executions = () => work(em => em.find(WorkflowExecution, {}, { orderBy: { createdAt: 'asc' } }))
const greet: AutomationDefinition = { kind: 'action', action: 'greet', parameters: { loud: true } }

async function make(
  definition: AutomationDefinition = greet,
  more: { timeoutMs?: number; maxAttempts?: number } = {},
  trigger?: TriggerInput,
) {
  await work(async em => {
    const made = await createAutomation(em, { name: 'Greet', definition, ...more })
    secret = made.webhookSecret
    if (trigger) addTrigger(em, made.automation, trigger, new Date('2026-11-23T10:00:00Z'))
  })
}

/** Runs what is queued in this tenant, whatever other tests have left. */
async function run(actions: Actions = {}, at = new Date()): Promise<void> {
  const job = jobsWith({ actions, post: guardedPost({ allowPrivate: true }) }).find(({ name }) => name === 'run-automations')!
  await runJob(firm.daybook, job, { at })
}
const start = (key?: string) => work(async em => startAutomation(em, await automation(em), { input: { name: 'Ada' }, ...(key && { key }) }))

describe('an action', () => {
  test('is done in its automation’s name, with what it was given', async () => {
    await make()
    await start()
    await run({
      greet: async ({ input, parameters }, transact) => {
        await transact(em => Promise.resolve(em.create(Task, { title: `Greet ${String(input.name)}`, data: parameters })))
        return { greeted: 1 }
      },
    })
    expect(await executions()).toMatchObject([{ status: 'SUCCESS', attempt: 1, output: { greeted: 1 }, leaseUntil: null }])
    await work(async em => {
      expect(await em.findOneOrFail(Task, {})).toMatchObject({ title: 'Greet Ada', data: { loud: true } })
      const [entry] = await history(em, await em.findOneOrFail(Task, {}))
      expect(entry!.event).toMatchObject({ actorId: `automation:${(await automation(em)).id}` })
      expect(await replayProblems(em)).toEqual([])
    })
  })

  test('that fails is tried again later, and then given up', async () => {
    await make(greet, { maxAttempts: 2 })
    await start()
    const failing: Actions = { greet: () => Promise.reject(new Error('Nobody is there')) }
    await run(failing)
    expect(await executions()).toMatchObject([{ status: 'QUEUED', attempt: 1, error: 'Nobody is there' }])
    await run(failing)
    expect(await executions()).toMatchObject([{ attempt: 1 }])
    await run(failing, new Date(Date.now() + 31_000))
    expect(await executions()).toMatchObject([{ status: 'FAILED', attempt: 2, finishedAt: expect.any(Date) as Date }])
  })

  test('that takes too long is told so, and what it says after that counts for nothing', async () => {
    await make(greet, { maxAttempts: 1, timeoutMs: 100 })
    await start()
    let aborted = false
    await run({
      greet: async ({ signal }) => {
        await new Promise(resolve => setTimeout(resolve, 300))
        aborted = signal.aborted
      },
    })
    await expect.poll(() => aborted).toBe(true)
    expect(await executions()).toMatchObject([{ status: 'TIMEOUT', error: 'It took longer than 100 ms.' }])
  })

  test('whose process died is done again', async () => {
    await make()
    await start()
    await work(async em => (await em.findOneOrFail(WorkflowExecution, {})).start(new Date(Date.now() - 120_000), 60_000))
    await run()
    expect(await executions()).toMatchObject([{ status: 'QUEUED', attempt: 1, error: 'The process that ran it has died.' }])
  })

  test('that nobody has registered is not looked for in prototypes', async () => {
    await make({ kind: 'action', action: 'toString' }, { maxAttempts: 1 })
    await start()
    await run()
    expect(await executions()).toMatchObject([{ status: 'FAILED', error: expect.stringContaining('toString') as string }])
  })

  test('is queued once for each thing that it is done for, however many ask', async () => {
    await make()
    const started = await Promise.all(Array.from({ length: 20 }, () => start('order 7')))
    expect(new Set(started.map(({ id }) => id)).size).toBe(1)
    await start('order 8')
    await start()
    await start()
    expect(await executions()).toHaveLength(4)
  })

  test('is done once, however many processes run what is queued', async () => {
    await make({ kind: 'action', action: 'count' })
    for (let order = 0; order < 12; order++) await start(`${order}`)
    let runs = 0
    const counting: Actions = { count: () => Promise.resolve(++runs) }
    await Promise.all(Array.from({ length: 5 }, () => run(counting)))
    await run(counting)
    expect(runs).toBe(12)
    expect((await executions()).every(({ status, attempt }) => status === 'SUCCESS' && attempt === 1)).toBe(true)
  })

  test('is not started while its automation is inactive', async () => {
    await make()
    await work(async em => (await automation(em)).deactivate())
    await expect(start()).rejects.toMatchObject({ code: 'automation.inactive' })
  })
})

describe('a schedule', () => {
  const daily = { type: 'SCHEDULE', config: { cron: '30 9 * * *', timeZone: 'Europe/Berlin' } } as const
  const fire = (at: string) => work(em => fireSchedules(em, new Date(at)))
  const nextAt = async () => (await work(em => em.findOneOrFail(WorkflowTrigger, {}))).nextFireAt!.toISOString()

  test('comes due by the clock of its time zone, once, and once for all that was missed', async () => {
    await make(greet, {}, daily)
    expect(await nextAt()).toBe('2026-11-24T08:30:00.000Z')
    expect(await fire('2026-11-24T08:29:59Z')).toBe(0)
    expect(await fire('2026-11-24T08:30:00Z')).toBe(1)
    expect(await fire('2026-11-24T08:30:00Z')).toBe(0)
    expect(await nextAt()).toBe('2026-11-25T08:30:00.000Z')
    expect(await fire('2026-12-01T00:00:00Z')).toBe(1)
    expect((await executions()).map(({ input }) => input)).toEqual([
      { dueAt: '2026-11-24T08:30:00.000Z' },
      { dueAt: '2026-11-25T08:30:00.000Z' },
    ])
  })

  test('keeps its hour when the clocks change', async () => {
    await make(greet, {}, daily)
    await fire('2027-03-27T08:30:00Z')
    expect(await nextAt()).toBe('2027-03-28T07:30:00.000Z')
  })

  test('that is fired by twenty at once is started once', async () => {
    await make(greet, {}, daily)
    await Promise.all(Array.from({ length: 20 }, () => fire('2026-11-24T08:30:00Z')))
    expect(await executions()).toHaveLength(1)
  })

  test('of an automation that is inactive goes by', async () => {
    await make(greet, {}, daily)
    await work(async em => (await automation(em)).deactivate())
    await fire('2026-11-24T08:30:00Z')
    expect(await executions()).toEqual([])
    expect(await nextAt()).toBe('2026-11-25T08:30:00.000Z')
  })

  test.each(['nonsense', '61 * * * *', '0 0 31 2 *'])('isn’t taken as %s', async cron => {
    await expect(make(greet, {}, { type: 'SCHEDULE', config: { cron } })).rejects.toMatchObject({ code: 'automation.invalid' })
  })
})

describe('an event', () => {
  const onUrgent = { type: 'EVENT', config: { event: 'task.*', where: { priority: 'URGENT' } } } as const

  test('starts what waits for it, in the log’s order, once, and never what was made after it', async () => {
    await work(em => Promise.resolve(em.create(Task, { title: 'Before', priority: 'URGENT' })))
    await make(greet, {}, onUrgent)
    await work(em => {
      for (const [title, priority] of [
        ['Fire', 'URGENT'],
        ['Dust', 'LOW'],
        ['Flood', 'URGENT'],
      ] as const)
        em.create(Task, { title, priority })
      return Promise.resolve()
    })
    for (let round = 0; round < 2; round++) {
      await using follower = startReactions(firm.daybook, { pollMs: 10 })
      await follower.caughtUp()
    }
    const inputs = (await executions()).map(({ input }) => (input.event as { after: { title: string } }).after.title)
    expect(inputs.toSorted()).toEqual(['Fire', 'Flood'])
  })

  test('tells a run nothing of people: it keeps what erasing a person doesn’t reach', async () => {
    await make(greet, {}, { type: 'EVENT', config: { event: 'intake-request.created' } })
    await work(em =>
      Promise.resolve(
        em.create(IntakeRequest, {
          subject: 'Noise',
          body: 'Ann snores.',
          source: 'EMAIL',
          requesterEmail: 'ann@home.example',
          receivedAt: new Date(),
        }),
      ),
    )
    await using follower = startReactions(firm.daybook, { pollMs: 10 })
    await follower.caughtUp()
    const [execution] = await executions()
    expect(execution!.input).toMatchObject({ event: { type: 'intake-request.created', after: { subject: 'Noise' } } })
    expect(JSON.stringify(execution!.input)).not.toMatch(/snores|ann@home/)
  })

  test('that tells what no column can hold starts what waits for it all the same, and holds up nobody', async () => {
    await make(greet, {}, { type: 'EVENT', config: { event: 'task.updated' } })
    const id = newId()
    await work(em =>
      em.execute(`insert into audit_event (tenant_id, entity, type, entity_id, after) values (?, 'task', 'task.updated', ?, ?::json)`, [
        firm.tenant,
        id,
        String.raw`{"title":"a\u0000b\ud800"}`,
      ]),
    )
    await using follower = startReactions(firm.daybook, { pollMs: 10 })
    await follower.caughtUp()
    expect(await executions()).toMatchObject([{ input: { event: { entityId: id, after: { title: 'ab\ufffd' } } } }])
  })

  test('that the automation itself has made doesn’t start it again', async () => {
    await make(greet, {}, onUrgent)
    await using follower = startReactions(firm.daybook, { pollMs: 10 })
    await work(em => Promise.resolve(em.create(Task, { title: 'Fire', priority: 'URGENT' })))
    await follower.caughtUp()
    const echo: Actions = {
      greet: (_input, transact) => transact(em => Promise.resolve(void em.create(Task, { title: 'Echo', priority: 'URGENT' }))),
    }
    await run(echo)
    await follower.caughtUp()
    await run(echo)
    expect(await executions()).toHaveLength(1)
  })

  test('of another tenant starts nothing', async () => {
    await make(greet, {}, onUrgent)
    const other = newId()
    await firm.daybook.transact({ tenant: other, actor: systemActor('clerk') }, async em => {
      em.create(Organization, { id: other, name: 'Other', slug: `other-${other}` })
      em.create(Task, { title: 'Theirs', priority: 'URGENT' })
      await em.flush()
    })
    await using follower = startReactions(firm.daybook, { pollMs: 10 })
    await follower.caughtUp()
    expect(await executions()).toEqual([])
  })
})

describe('a workflow elsewhere', () => {
  const receiver = createServer()
  const received: { headers: IncomingMessage['headers']; body: string }[] = []
  let url: string
  let status = 200
  beforeAll(async () => {
    receiver.on('request', async (request, response) => {
      received.push({ headers: request.headers, body: await text(request) })
      response.writeHead(status).end('{"taken":true}')
    })
    await new Promise<void>(resolve => receiver.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/workflow`
  })
  afterAll(() => void receiver.close())
  beforeEach(() => {
    received.length = 0
    status = 200
  })
  /** Addresses like these aren't taken; this one is the test's own. */
  const makeLocal = async () => {
    await make({ kind: 'webhook', url: 'https://example.com' }, { maxAttempts: 1 })
    await work(async em => void ((await automation(em)).definition = { kind: 'webhook', url }))
    await start()
  }

  test('is called with a signature that it can believe', async () => {
    await makeLocal()
    await run()
    const [call] = received
    expect(JSON.parse(call!.body)).toMatchObject({ input: { name: 'Ada' } })
    expect(webhookDoubt(call!.headers, call!.body, [secret], new Date())).toBeUndefined()
    expect(webhookDoubt(call!.headers, `${call!.body} `, [secret], new Date())).toBe('its signature is not by our secret')
    expect(await executions()).toMatchObject([{ status: 'SUCCESS', output: { taken: true } }])
  })

  test.each([302, 404, 500])('that answers %d has not done it', async answer => {
    status = answer
    await makeLocal()
    await run()
    expect(received).toHaveLength(1)
    expect(await executions()).toMatchObject([{ status: 'FAILED', error: `The workflow answered ${answer}.` }])
  })

  test.each([
    'http://example.com',
    'https://127.0.0.1',
    'https://169.254.169.254/latest',
    'https://[::1]',
    'https://localhost',
    'ftp://example.com',
    'nonsense',
  ])('at %s isn’t taken', async address => {
    await expect(make({ kind: 'webhook', url: address })).rejects.toMatchObject({ code: 'outgoing.address_refused' })
  })

  test('whose secret nobody can read in the table or in the log', async () => {
    await makeLocal()
    for (const table of ['automation', 'audit_event']) {
      const [row] = await work(em => em.execute<{ text: string }[]>(`select string_agg(t::text, ' ') as text from ${table} t`))
      expect(row!.text).toContain('Greet')
      expect(row!.text).not.toContain(secret.slice('whsec_'.length, -4))
    }
  })
})

describe('a call from outside', () => {
  const body = '{"name":"Ada"}'
  const call = async (sign: () => Record<string, string>, at = new Date()) =>
    work(async em => receiveCall(em, await automation(em), { body, headers: sign(), at }))
  const signed = (by = secret, id = 'msg_1', at = new Date()) => ({ ...webhookHeaders({ id, at, body }, [by]) })

  test('starts what listens, once for each id', async () => {
    await make(greet, {}, { type: 'WEBHOOK' })
    await call(() => signed())
    await call(() => signed())
    await call(() => signed(secret, 'msg_2'))
    expect((await executions()).map(({ input }) => input)).toEqual([{ body: { name: 'Ada' } }, { body: { name: 'Ada' } }])
  })

  test.each([
    ['with another secret', () => signed('whsec_AAAA')],
    ['without a signature', () => ({})],
    ['signed for another body', () => webhookHeaders({ id: 'msg_1', at: new Date(), body: '{}' }, [secret])],
    ['signed six minutes ago', () => signed(secret, 'msg_1', new Date(Date.now() - 360_000))],
    ['with another id than was signed', () => ({ ...signed(), 'webhook-id': 'msg_2' })],
  ] as const)('%s is refused', async (_how, sign) => {
    await make(greet, {}, { type: 'WEBHOOK' })
    await expect(call(() => ({ ...sign() }))).rejects.toMatchObject({ code: 'automation.webhook_refused' })
    expect(await executions()).toEqual([])
  })

  test('is refused where nothing listens', async () => {
    await make()
    await expect(call(() => signed())).rejects.toMatchObject({ code: 'automation.webhook_refused' })
  })
})
