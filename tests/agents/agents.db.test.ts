import { wrap } from '@mikro-orm/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { agentActor, systemActor } from '../../src/context/index.ts'
import {
  AgentDecision,
  type AgentDecisionInput,
  AIProviderConfig,
  ApprovalItem,
  approve,
  approveDecision,
  configureProvider,
  decideAsAgent,
  executeDecision,
  expireApprovals,
  makeDefault,
  OrchestrationAgent,
  overrideDecision,
  providerSecretOf,
  rejectApproval,
  rejectDecision,
  replaceProviderSecret,
  Task,
  type Tools,
  useTokens,
} from '../../src/entities.ts'
import { rejectUnapproved } from '../../src/domain/agents/internal.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { why } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'

let daybook: Daybook
let tenant: string
let agentId: string
let taskId: string

beforeAll(async () => {
  daybook = await openTestDaybook({ poolMax: 20 })
})
afterAll(() => daybook.close())
beforeEach(async () => {
  tenant = newId()
  await work(async em => {
    agentId = em.create(OrchestrationAgent, { name: 'Triage', instructions: 'Sort tickets.', tools: ['close', 'retitle'] }).id
    taskId = em.create(Task, { title: 'Printer burns' }).id
  })
})

type Work<T> = (em: ScopedEntityManager) => Promise<T>
const work = <T>(does: Work<T>) => daybook.transact({ tenant, actor: systemActor('clerk') }, does)
const asAgent = <T>(does: Work<T>) => daybook.transact({ tenant, actor: agentActor(agentId) }, does)

const tools: Tools = {
  retitle: async (em, { title }) => void ((await em.findOneOrFail(Task, taskId)).title = String(title)),
  close: async (em, _parameters, _decision) => (await em.findOneOrFail(Task, taskId)).complete(new Date()),
}
const retitle = (title: string, risk = 0) => ({ tool: 'retitle', parameters: { title }, risk })

function decideBy(em: ScopedEntityManager, agent: OrchestrationAgent, task: Task, more: Partial<AgentDecisionInput> = {}) {
  const told = { type: 'ticket.triage', subject: task, subjectType: 'task', inputSource: 'mail', input: { text: 'It burns' } }
  return decideAsAgent(em, agent, { ...told, reasoning: 'It says so.', confidence: 0.9, actions: [retitle('Fire')], ...more })
}
const decided = (more: Partial<AgentDecisionInput> = {}) =>
  asAgent(async em => decideBy(em, await em.findOneOrFail(OrchestrationAgent, agentId), await em.findOneOrFail(Task, taskId), more))
const found = (em: ScopedEntityManager, { id }: AgentDecision) => em.findOneOrFail(AgentDecision, id)
const title = () => work(async em => (await em.findOneOrFail(Task, taskId)).title)

describe('what an agent is sure of', () => {
  test('is done, and points back to the decision', async () => {
    const decision = await decided({ model: 'model-x 2026-05', alternatives: [{ title: 'Smoke' }] })
    expect(decision).toMatchObject({ status: 'PENDING', requiresApproval: false })
    await asAgent(async em => executeDecision(em, await found(em, decision), tools))
    expect(await title()).toBe('Fire')
    await work(async em => {
      expect(await found(em, decision)).toMatchObject({ status: 'EXECUTED', error: null })
      const because = await why(em, await em.findOneOrFail(Task, taskId), 'title')
      expect(because).toMatchObject({ decision: { id: decision.eventId }, actor: agentActor(agentId) })
    })
  })

  test('is done once, however many do it at once', async () => {
    let runs = 0
    const counting: Tools = { retitle: () => Promise.resolve(runs++) }
    const decision = await decided()
    const attempts = Array.from({ length: 10 }, () => work(async em => executeDecision(em, await found(em, decision), counting)))
    const results = await Promise.allSettled(attempts)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(runs).toBe(1)
  })

  test('leaves nothing half done: a tool that fails takes the others with it, and it may be tried again', async () => {
    const decision = await decided({ actions: [retitle('Fire'), { tool: 'close', parameters: {} }] })
    const failing: Tools = { ...tools, close: () => Promise.reject(new Error('The door is locked')) }
    await work(async em => executeDecision(em, await found(em, decision), failing))
    expect(await title()).toBe('Printer burns')
    await work(async em => {
      expect(await found(em, decision)).toMatchObject({ status: 'FAILED', error: 'The door is locked' })
      await executeDecision(em, await found(em, decision), tools)
    })
    expect(await title()).toBe('Fire')
  })

  test('has failed also where a tool says so in what can’t be stored', async () => {
    const decision = await decided()
    await work(async em => executeDecision(em, await found(em, decision), { retitle: () => Promise.reject(new Error('no\0')) }))
    expect(await work(em => found(em, decision))).toMatchObject({ status: 'FAILED', error: 'no' })
  })

  test('can be overridden afterwards, by a decision that says so', async () => {
    const decision = await decided()
    await work(async em => executeDecision(em, await found(em, decision), tools))
    await work(async em => {
      const subject = await em.findOneOrFail(Task, taskId)
      const override = { subject, outcome: { title: 'Smoke only' }, rationale: 'I looked.' }
      await overrideDecision(em, await found(em, decision), override, () => Promise.resolve((subject.title = 'Smoke only')))
    })
    await work(async em => {
      const because = await why(em, await em.findOneOrFail(Task, taskId), 'title')
      expect(because).toMatchObject({ decision: { type: 'decision.overrode' }, actor: systemActor('clerk') })
      expect(because!.overrides.map(({ id }) => id)).toEqual([decision.eventId])
    })
  })
})

describe('overriding takes back what was done', () => {
  const override = (undo: boolean, decision: AgentDecision) =>
    work(async em =>
      overrideDecision(em, await found(em, decision), {
        subject: await em.findOneOrFail(Task, taskId),
        outcome: 'nothing',
        rationale: 'It was wrong.',
        undo,
      }),
    )
  const state = () => work(async em => wrap(await em.findOneOrFail(Task, taskId)).toPOJO())

  test('where it is told to, and the decision stays carried out', async () => {
    const before = await state()
    const decision = await decided({ actions: [retitle('Fire'), retitle('Smoke')] })
    await work(async em => executeDecision(em, await found(em, decision), tools))
    expect(await title()).toBe('Smoke')
    await override(true, decision)
    expect(await state()).toMatchObject({ ...before, version: 3, updatedAt: expect.anything() as unknown })
    expect(await work(em => found(em, decision))).toMatchObject({ status: 'EXECUTED' })
  })

  test('also what a person had approved', async () => {
    const decision = await decided({ confidence: 0.5 })
    await work(async em => approveDecision(em, await found(em, decision), { rationale: 'Looks right.' }, tools))
    await override(true, decision)
    expect(await title()).toBe('Printer burns')
    expect(await work(em => em.find(ApprovalItem, { decisionId: decision.eventId }))).toMatchObject([{ status: 'APPROVED' }])
  })

  test('and doesn’t override it where somebody has worked on since', async () => {
    const decision = await decided()
    await work(async em => executeDecision(em, await found(em, decision), tools))
    await work(async em => void ((await em.findOneOrFail(Task, taskId)).title = 'Really burns'))
    await expect(override(true, decision)).rejects.toMatchObject({ code: 'history.revert_conflict' })
    expect(await title()).toBe('Really burns')
    await override(false, decision)
  })
})

test('an overridden decision that nobody has carried out never will be, and one that waits is rejected instead', async () => {
  const override = async (em: ScopedEntityManager, decision: AgentDecision) =>
    overrideDecision(em, await found(em, decision), {
      subject: await em.findOneOrFail(Task, taskId),
      outcome: 'nothing',
      rationale: 'I looked.',
    })
  const open = await decided()
  await work(em => override(em, open))
  await expect(work(async em => executeDecision(em, await found(em, open), tools))).rejects.toMatchObject({
    code: 'state.transition_refused',
  })
  await expect(work(em => override(em, open))).rejects.toMatchObject({ code: 'state.transition_refused' })
  const waiting = await decided({ confidence: 0.5 })
  await expect(work(em => override(em, waiting))).rejects.toMatchObject({ code: 'agents.approval_needed' })
})

describe('what an agent is not sure of, or what is risky', () => {
  test.each([
    ['too little confidence', { confidence: 0.5 }],
    ['too much risk', { actions: [retitle('Fire', 0.9)] }],
  ])('waits for a person: %s', async (_why, more) => {
    const decision = await decided(more)
    expect(decision.status).toBe('REQUIRES_APPROVAL')
    await expect(work(async em => executeDecision(em, await found(em, decision), tools))).rejects.toMatchObject({
      code: 'agents.approval_needed',
    })
    expect(await title()).toBe('Printer burns')
    await work(async em => approveDecision(em, await found(em, decision), { rationale: 'Right' }, tools))
    expect(await title()).toBe('Fire')
    await work(async em => {
      const { approval, status } = await found(em, decision)
      expect(status).toBe('EXECUTED')
      expect(await em.findOneOrFail(ApprovalItem, approval!.id)).toMatchObject({ status: 'APPROVED', requestedById: agentId })
    })
  })

  test('can’t be approved by the agent itself', async () => {
    const decision = await decided({ confidence: 0.1 })
    const attempt = asAgent(async em => approveDecision(em, await found(em, decision), { rationale: 'Trust me' }, tools))
    await expect(attempt).rejects.toMatchObject({ code: 'audit.own_decision' })
    expect(await title()).toBe('Printer burns')
  })

  test('is rejected, and then over', async () => {
    const decision = await decided({ confidence: 0.1 })
    await work(async em => rejectDecision(em, await found(em, decision), { rationale: 'No' }))
    await expect(work(async em => approveDecision(em, await found(em, decision), { rationale: 'Yes' }, tools))).rejects.toMatchObject({
      code: 'work.approval_state',
    })
    expect(await work(em => found(em, decision))).toMatchObject({ status: 'REJECTED' })
  })

  test('is rejected when nobody approves it in time', async () => {
    const decision = await decided({ confidence: 0.1 })
    const late = new Date(Date.now() + 1_000)
    await work(async em => {
      const { approval } = await found(em, decision)
      Object.assign(await em.findOneOrFail(ApprovalItem, approval!.id), { expiresAt: new Date() })
      await em.flush()
      expect(await rejectUnapproved(em)).toBe(0)
      expect(await expireApprovals(em, late)).toBe(1)
      await em.flush()
      expect(await rejectUnapproved(em)).toBe(1)
    })
    expect(await work(em => found(em, decision))).toMatchObject({ status: 'REJECTED' })
  })

  const settled = (decision: AgentDecision, by: typeof approve | typeof rejectApproval) =>
    work(async em => by(em, await em.findOneOrFail(ApprovalItem, { decisionId: decision.eventId }), { rationale: 'Seen' }))

  test('can be carried out once its approval item was approved, or overridden still', async () => {
    const [first, second] = [await decided({ confidence: 0.1 }), await decided({ confidence: 0.1 })]
    await settled(first, approve)
    expect(await work(rejectUnapproved)).toBe(0)
    await work(async em => executeDecision(em, await found(em, first), tools))
    expect(await title()).toBe('Fire')
    expect(await work(em => found(em, first))).toMatchObject({ status: 'EXECUTED' })
    await settled(second, approve)
    await expect(work(async em => rejectDecision(em, await found(em, second), { rationale: 'No' }))).rejects.toMatchObject({
      code: 'work.approval_state',
    })
    await work(async em => {
      const subject = await em.findOneOrFail(Task, taskId)
      await overrideDecision(em, await found(em, second), { subject, outcome: 'nothing', rationale: 'No' })
    })
    expect(await work(em => found(em, second))).toMatchObject({ status: 'REJECTED' })
  })

  test.each<[string, (em: ScopedEntityManager, decision: AgentDecision) => Promise<unknown>]>([
    ['by the job', em => rejectUnapproved(em)],
    ['by whoever rejects it', (em, decision) => rejectDecision(em, decision, { rationale: 'No' })],
  ])('is rejected once its approval item was: %s', async (_how, reject) => {
    const decision = await decided({ confidence: 0.1 })
    await settled(decision, rejectApproval)
    await expect(work(async em => executeDecision(em, await found(em, decision), tools))).rejects.toMatchObject({
      code: 'work.approval_state',
    })
    await work(async em => reject(em, await found(em, decision)))
    expect(await work(em => found(em, decision))).toMatchObject({ status: 'REJECTED' })
    expect(await title()).toBe('Printer burns')
  })

  test('is only approved where somebody has to', async () => {
    const decision = await decided()
    const attempt = work(async em => approveDecision(em, await found(em, decision), { rationale: 'Yes' }, tools))
    await expect(attempt).rejects.toMatchObject({ code: 'agents.no_approval_needed' })
  })
})

const refused = (attempt: Promise<unknown>, code: string) => expect(attempt).rejects.toMatchObject({ code })
const change = (values: Partial<OrchestrationAgent>) =>
  work(async em => void Object.assign(await em.findOneOrFail(OrchestrationAgent, agentId), values))

test.each([
  ['is switched off', { isActive: false }, { isActive: true }, 'agents.inactive'],
  ['lost the tool', { tools: ['close'] }, { tools: ['retitle'] }, 'agents.tool_not_allowed'],
])('nothing is done for an agent that %s since it decided, and it may be done afterwards', async (_what, off, on, code) => {
  const [sure, unsure] = [await decided(), await decided({ confidence: 0.1 })]
  await change(off)
  await refused(
    work(async em => executeDecision(em, await found(em, sure), tools)),
    code,
  )
  await refused(
    work(async em => approveDecision(em, await found(em, unsure), { rationale: 'Right' }, tools)),
    code,
  )
  expect(await title()).toBe('Printer burns')
  await work(async em => rejectDecision(em, await found(em, unsure), { rationale: 'It is off' }))
  await change(on)
  await work(async em => executeDecision(em, await found(em, sure), tools))
  expect(await title()).toBe('Fire')
})

describe('an agent decides nothing', () => {
  test('in somebody else’s name', () =>
    refused(
      work(async em => decideBy(em, await em.findOneOrFail(OrchestrationAgent, agentId), await em.findOneOrFail(Task, taskId))),
      'agents.impersonated',
    ))

  test('when it is not active', async () => {
    await work(async em => (await em.findOneOrFail(OrchestrationAgent, agentId)).deactivate())
    await refused(decided(), 'agents.inactive')
  })

  test('that takes a tool which it doesn’t have', () =>
    refused(decided({ actions: [{ tool: 'pay', parameters: {} }] }), 'agents.tool_not_allowed'))

  test('more often than it may, also at once', async () => {
    await change({ rateLimit: 3 })
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => decided()))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    await refused(decided(), 'agents.rate_limit')
  })

  test('by a tool that nobody has passed', async () => {
    const decision = await decided()
    await refused(
      work(async em => executeDecision(em, await found(em, decision), {})),
      'agents.tool_unknown',
    )
    await refused(
      work(async em => executeDecision(em, await found(em, decision), Object.create(tools) as Tools)),
      'agents.tool_unknown',
    )
  })
})

describe('a provider', () => {
  const input = { name: 'Main', provider: 'ANTHROPIC', model: 'model-x', secret: 'sk-very-secret' } as const
  const config = (em: ScopedEntityManager) => em.findOneOrFail(AIProviderConfig, { name: 'Main' })

  test('keeps its key sealed: neither the table nor the log shows it, and it opens in its own row alone', async () => {
    await work(em => configureProvider(em, input))
    await work(async em => {
      expect(await providerSecretOf(em, await config(em))).toBe('sk-very-secret')
      const other = await configureProvider(em, { ...input, name: 'Other' })
      other.secretRef = (await config(em)).secretRef!
      await expect(providerSecretOf(em, other)).rejects.toThrow(/authenticate/)
      for (const table of ['ai_provider_config', 'audit_event']) {
        const [row] = await em.execute<{ text: string }[]>(`select string_agg(t::text, ' ') as text from ${table} t`)
        expect(row!.text).toContain('Main')
        expect(row!.text).not.toContain('sk-very-secret')
      }
    })
    await work(async em => replaceProviderSecret(em, await config(em), 'sk-next'))
    expect(await work(async em => providerSecretOf(em, await config(em)))).toBe('sk-next')
  })

  test('without a key gives none', async () => {
    const { secret: _secret, ...open } = input
    await work(em => configureProvider(em, open))
    await expect(work(async em => providerSecretOf(em, await config(em)))).rejects.toMatchObject({ code: 'agents.provider_secret_missing' })
  })

  test.each([
    ['ANTHROPIC', 'http://example.com'],
    ['OTHER', 'ftp://example.com'],
    ['LOCAL', 'file:///etc/passwd'],
    ['OTHER', 'nonsense'],
  ] as const)('of kind %s isn’t reached at %s', async (provider, baseUrl) => {
    await expect(work(em => configureProvider(em, { ...input, provider, baseUrl }))).rejects.toMatchObject({
      code: 'agents.provider_address',
    })
  })

  test('is the default when it is the first or made so, and there is one', async () => {
    await work(em => configureProvider(em, input))
    await work(em => configureProvider(em, { ...input, name: 'Second' }))
    await work(async em => makeDefault(em, await em.findOneOrFail(AIProviderConfig, { name: 'Second' })))
    await work(em => configureProvider(em, { ...input, name: 'Third', isDefault: true }))
    expect(await work(async em => (await em.find(AIProviderConfig, { isDefault: true })).map(({ name }) => name))).toEqual(['Third'])
  })

  test('counts its tokens by month, and nobody gets past the limit, also fifty at once', async () => {
    await work(em => configureProvider(em, { ...input, monthlyTokenLimit: 1_000 }))
    const use = (tokens: number, month: number) =>
      work(async em => useTokens(em, await config(em), tokens, new Date(Date.UTC(2026, month, 9))))
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => use(30, 0)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(33)
    expect(await use(10, 0)).toEqual({ used: 1_000, left: 0 })
    await expect(use(1, 0)).rejects.toMatchObject({ code: 'agents.token_limit' })
    await expect(use(1_001, 1)).rejects.toMatchObject({ code: 'agents.token_limit' })
    expect(await use(1, 1)).toEqual({ used: 1, left: 999 })
    await work(async em => void ((await config(em)).monthlyTokenLimit = null))
    expect(await use(5_000, 0)).toEqual({ used: 6_000 })
  })
})
