import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decide } from '../../src/audit/index.ts'
import { agentActor, userActor } from '../../src/context/index.ts'
import { decideAsAgent, Membership, OrchestrationAgent, Project, Task, taskTools, type Tools, WebhookEndpoint } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import { ActionHost, base } from './action-host.ts'
import { Caller, rowFor, type SignedUp, type TestHost } from './test-host.ts'

const tools: Tools = {
  rename: async (em, { task, title }) => {
    const found = await em.findOneOrFail(Task, String(task))
    found.title = String(title)
  },
  hush: async (em, { endpoint }) => (await em.findOneOrFail(WebhookEndpoint, String(endpoint))).disable(new Date()),
  suspend: async (em, { user }) => (await em.findOneOrFail(Membership, { user: String(user) })).suspend(),
  break: () => Promise.reject(new Error('The tool broke.')),
}

let act: ActionHost
let on: TestHost
let ann: SignedUp
let zoe: SignedUp

beforeAll(async () => {
  act = await ActionHost.open({ tools })
  ;({ on, ann, zoe } = act)
})
afterAll(() => act[Symbol.asyncDispose]())

describe('a decision of an agent', () => {
  async function decided(
    tool: string,
    confidence: number,
    parameters: object = { title: 'After' },
  ): Promise<{ decision: string; task: string }> {
    const task = (await act.made('tasks', { title: 'Before' })).id
    const agent = (
      await act.made('orchestration-agents', {
        name: `Agent ${newId()}`,
        instructions: 'Tidy up.',
        tools: ['rename', 'hush', 'suspend', 'break', 'missing', ...Object.keys(taskTools)],
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
        actions: [{ tool, parameters: { task, ...parameters } }],
      })
    })
    return { decision: decision.id, task }
  }
  const provider = async () => (await act.made('ai-provider-configs', { name: newId(), provider: 'OPENAI', model: 'm' })).id

  test('that is unsure is carried out when somebody approves it, and points back to them', async () => {
    const { decision, task } = await decided('rename', 0.5)
    const early = await ann.caller.post(`${base}/agent-decisions/${decision}/execute`)
    expect(early.json()).toMatchObject({ status: 409, code: 'agents.approval_needed' })
    expect(await act.done(`agent-decisions/${decision}/approve`, { rationale: 'It is better.' })).toMatchObject({ status: 'EXECUTED' })
    expect((await act.seen(`tasks/${task}`)).title).toBe('After')
    expect(await act.seen(`tasks/${task}/why?property=title`)).toMatchObject({
      decision: { type: 'decision.proposed', told: { type: 'task.rename' } },
      approval: { told: { rationale: 'It is better.' } },
    })
    expect((await ann.caller.post(`${base}/agent-decisions/${decision}/approve`, { rationale: 'Again.' })).statusCode).toBe(409)
  })

  test('is carried out or rejected by its approval item too, by those who may judge it', async () => {
    const items = async () => (await act.seen<{ items: { id: string }[] }>('approval-items?status=PENDING')).items
    const { decision, task } = await decided('rename', 0.5)
    const [item] = await items()
    await act.made('roles', { key: 'CLERK', name: 'Clerk', permissions: ['approval-item:read', 'approval-item:approve'] })
    const clerk = await act.member('clerk@acme.example', 'CLERK')
    for (const verb of ['approve', 'reject']) {
      const answer = await clerk.caller.post(`${base}/approval-items/${item!.id}/${verb}`, { rationale: 'I may.' })
      expect(answer.json()).toMatchObject({ status: 403, code: 'access.denied' })
    }
    expect(await act.done(`approval-items/${item!.id}/approve`, { rationale: 'It is better.' })).toMatchObject({ status: 'APPROVED' })
    expect(await act.seen(`agent-decisions/${decision}`)).toMatchObject({ status: 'EXECUTED' })
    expect((await act.seen(`tasks/${task}`)).title).toBe('After')
    const refused = await decided('rename', 0.5)
    const [other] = await items()
    expect(await act.done(`approval-items/${other!.id}/reject`, { rationale: 'It is not.' })).toMatchObject({ status: 'REJECTED' })
    expect(await act.seen(`agent-decisions/${refused.decision}`)).toMatchObject({ status: 'REJECTED' })
  })

  test('that is sure is carried out without, or says why it failed', async () => {
    const sure = await decided('rename', 0.9)
    expect(await act.done(`agent-decisions/${sure.decision}/execute`)).toMatchObject({ status: 'EXECUTED' })
    const why = `tasks/${sure.task}/why?property=title`
    expect(await act.seen(why)).toMatchObject({ decision: { told: { inputs: { confidential: 'of few' }, rationale: 'It says more.' } } })
    const viewer = (await act.member('vic@acme.example', 'VIEWER')).caller
    const told = (await act.seen<{ decision: { told: object } }>(why, viewer)).decision.told
    expect(told).toMatchObject({ type: 'task.rename', rationale: 'It says more.' })
    expect(told).not.toHaveProperty('inputs')
    const { secret } = await act.made<{ secret: string }>('api-keys', { name: 'k', environment: 'LIVE', scopes: ['task:read'] })
    const { decision, approval } = await act.seen<{ decision: object; approval: unknown }>(
      why,
      new Caller(on, { authorization: `Bearer ${secret}` }),
    )
    expect([decision, approval]).toEqual([{ id: expect.any(String), recordedAt: expect.any(String) }, null])
    const broken = await decided('break', 0.9)
    expect(await act.done(`agent-decisions/${broken.decision}/execute`)).toMatchObject({ status: 'FAILED', error: 'The tool broke.' })
    const unknown = await decided('missing', 0.9)
    const answer = await ann.caller.post(`${base}/agent-decisions/${unknown.decision}/execute`)
    expect(answer.json()).toMatchObject({ status: 422, code: 'agents.tool_unknown' })
  })

  test('may assign, move and prioritize tasks beside what the host brings', async () => {
    const [stage] = (await act.seen<{ items: { id: string }[] }>('pipeline-stages?limit=1')).items
    for (const [tool, parameters, changed] of [
      ['task.assign', { assignee: ann.user.toUpperCase() }, { assignee: ann.user }],
      ['task.move', { stage: stage!.id }, { stage: stage!.id }],
      ['task.prioritize', { priority: 'URGENT' }, { priority: 'URGENT' }],
    ] as const) {
      const { decision, task } = await decided(tool, 0.9, parameters)
      const before = await act.seen(`tasks/${task}`)
      expect(await act.done(`agent-decisions/${decision}/execute`)).toMatchObject({ status: 'EXECUTED', error: null })
      expect(await act.seen(`tasks/${task}`)).toMatchObject(changed)
      await act.done(`agent-decisions/${decision}/override`, { outcome: {}, rationale: 'It was wrong.', undo: true })
      const { updatedAt: _updatedAt, version: _version, ...rest } = before
      expect(await act.seen(`tasks/${task}`)).toMatchObject(rest)
    }
  })

  test.each([
    ['task.assign', {}, /assignee/],
    ['task.assign', { assignee: 'Ann' }, /assignee/],
    ['task.assign', { assignee: newId() }, /works here|member/i],
    ['task.move', { stage: newId() }, /PipelineStage not found/],
    ['task.prioritize', { priority: 'SOON' }, /priority/],
    ['task.prioritize', { priority: 'LOW', title: 'More' }, /title|additional/i],
  ])('that has %s with %j fails, and changes nothing', async (tool, parameters, why) => {
    const { decision, task } = await decided(tool, 0.9, parameters)
    const before = await act.seen(`tasks/${task}`)
    const { status, error } = await act.done(`agent-decisions/${decision}/execute`)
    expect([status, error]).toEqual(['FAILED', expect.stringMatching(why)])
    expect(await act.seen(`tasks/${task}`)).toEqual(before)
  })

  test('touches no task of another organization', async () => {
    const foreign = (await act.made('tasks', { title: 'Zoe’s' }, zoe.caller)).id
    const { decision } = await decided('task.prioritize', 0.9, { task: foreign, priority: 'URGENT' })
    expect(await act.done(`agent-decisions/${decision}/execute`)).toMatchObject({
      status: 'FAILED',
      error: expect.stringMatching(/Task not found/),
    })
    expect(await act.seen(`tasks/${foreign}`, zoe.caller)).toMatchObject({ priority: 'MEDIUM' })
  })

  test('is overridden by another one, which says what it takes the place of', async () => {
    const other = await decided('rename', 0.9)
    await act.done(`agent-decisions/${other.decision}/override`, { outcome: { title: 'Neither' }, rationale: 'Both were wrong.' })
    const { items } = await act.seen<{ items: object[] }>('decisions?limit=1')
    const told = { type: 'task.rename', outcome: { title: 'Neither' }, rationale: 'Both were wrong.' }
    expect(items[0]).toMatchObject({ type: 'decision.overrode', actor: { id: ann.user }, told })
  })

  test('is overridden with all that it did, where that is asked for', async () => {
    const { decision, task } = await decided('rename', 0.9)
    await act.done(`agent-decisions/${decision}/execute`)
    const { title } = await act.seen<{ title: string }>(`tasks/${task}`)
    await act.done(`agent-decisions/${decision}/override`, { outcome: {}, rationale: 'It was wrong.', undo: true })
    const after = await act.seen<{ title: string }>(`tasks/${task}`)
    expect([title, after.title]).toEqual(['After', 'Before'])
  })

  test.each([
    ['whoever may only approve', [], 'webhook-endpoint:manage'],
    ['whoever may not read the log that would be told again', ['webhook-endpoint:manage'], 'audit-event:read'],
  ])('is not undone by %s', async (_who, more, needed) => {
    const endpoint = (await act.made('webhook-endpoints', { url: `https://example.com/${newId()}`, events: ['task.*'] })).id
    const { decision } = await decided('hush', 0.9, { endpoint })
    await act.done(`agent-decisions/${decision}/execute`)
    const key = `JUDGE_${more.length}`
    await act.made('roles', { key, name: key, permissions: ['agent-decision:approve', 'task:read', ...more] })
    const { caller } = await act.member(`${key.toLowerCase()}@acme.example`, key)
    const override = (undo: boolean) =>
      caller.post(`${base}/agent-decisions/${decision}/override`, { outcome: {}, rationale: 'It was wrong.', undo })
    expect((await override(true)).json()).toMatchObject({
      status: 403,
      code: 'access.denied',
      detail: expect.stringContaining(needed) as string,
    })
    expect(await act.seen(`webhook-endpoints/${endpoint}`)).toMatchObject({ isActive: false })
    expect((await override(false)).statusCode).toBe(200)
  })

  test('about who may do what is undone by an owner alone', async () => {
    const [admin, suspended] = [await act.member('admin@acme.example', 'ADMIN'), await act.member('gone@acme.example', 'ADMIN')]
    const { decision } = await decided('suspend', 0.9, { user: suspended.user })
    await act.done(`agent-decisions/${decision}/execute`)
    const undo = (by: Caller) =>
      by.post(`${base}/agent-decisions/${decision}/override`, { outcome: {}, rationale: 'It was wrong.', undo: true })
    expect((await undo(admin.caller)).json()).toMatchObject({
      status: 403,
      detail: expect.stringContaining('organization:manage') as string,
    })
    expect((await suspended.caller.get(`${base}/tasks`)).statusCode).toBe(404)
    expect((await undo(ann.caller)).statusCode).toBe(200)
    expect((await suspended.caller.get(`${base}/tasks`)).statusCode).toBe(200)
  })

  test('is judged by whoever may approve alone', async () => {
    const { decision } = await decided('rename', 0.5)
    const mem = await act.member('mem@acme.example', 'MEMBER')
    for (const verb of ['approve', 'override', 'execute']) {
      const body = verb === 'override' ? { outcome: {}, rationale: 'x' } : { rationale: 'x' }
      const answer = await mem.caller.post(`${base}/agent-decisions/${decision}/${verb}`, verb === 'execute' ? undefined : body)
      expect([verb, answer.statusCode]).toEqual([verb, 403])
    }
  })
})

test('a decision about a row is not taken back by whoever manages the row and not all that was done', async () => {
  const [task, project] = [(await act.made('tasks', { title: 'Move' })).id, await rowFor(on, ann, Project, { name: 'Before' })]
  const decision = await on.daybook.transact({ tenant: ann.organization, actor: userActor(ann.user) }, async em => {
    const told = { type: 'task.move', subject: await em.findOneOrFail(Task, task), outcome: {}, rationale: 'It fits.' }
    return decide(em, told, async working => {
      ;(await working.findOneOrFail(Project, project)).name = 'After'
    })
  })
  await act.made('roles', { key: 'TASKS', name: 'Tasks', permissions: ['task:manage'] })
  const { caller } = await act.member('tasks@acme.example', 'TASKS')
  const revert = (by: Caller) => by.post(`${base}/tasks/${task}/revert`, { event: decision.id })
  expect((await revert(caller)).json()).toMatchObject({
    status: 403,
    code: 'access.denied',
    detail: expect.stringContaining('project:manage') as string,
  })
  expect(await act.seen(`projects/${project}`)).toMatchObject({ name: 'After' })
  expect((await revert(ann.caller)).statusCode).toBe(200)
  expect(await act.seen(`projects/${project}`)).toMatchObject({ name: 'Before' })
})

test('something is proposed for approval by its name in the log, if whoever asks may see it', async () => {
  const task = (await act.made('tasks', { title: 'Refund' })).id
  const theirs = (await act.made('tasks', { title: 'Theirs' }, zoe.caller)).id
  const proposal = { type: 'task.refund', subjectType: 'task', reason: 'It broke.', payload: { amount: 5 } }
  expect(await act.made('approval-items', { ...proposal, subjectId: task })).toMatchObject({ status: 'PENDING', subjectId: task })
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
