import { OptimisticLockError } from '@mikro-orm/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { settle } from '../../src/audit/index.ts'
import { type Actor, agentActor, apiKeyActor, systemActor, userActor } from '../../src/context/index.ts'
import {
  ApprovalItem,
  approve,
  completeTask,
  createPipeline,
  expireApprovals,
  issueApiKey,
  moveTask,
  PipelineStage,
  rejectApproval,
  requestApproval,
  Task,
} from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { pendingDecisions, why } from '../../src/readers/index.ts'
import { useWorkshop } from './use-workshop.ts'

const { owner, scopeOf, work } = useWorkshop()
const router = newId()
const as = { owner: () => userActor(owner()), agent: () => agentActor(router) }
const minutes = (count: number) => new Date(Date.UTC(2026, 10, 21, 10, count))

describe('an approval', () => {
  let task: Task
  const ask = (expiresAt?: Date, actor: Actor = as.agent()) =>
    work(
      async em =>
        requestApproval(em, {
          type: 'task.refund',
          subject: await em.findOneOrFail(Task, task.id),
          subjectType: 'task',
          reason: 'It came broken.',
          payload: { amount: 900 },
          confidence: 0.71,
          ...(expiresAt && { expiresAt }),
        }),
      actor,
    )
  beforeEach(async () => {
    task = await work(async em => em.create(Task, { title: 'refund' }))
  })
  const complete = () => work(async em => completeTask(em, await em.findOneOrFail(Task, task.id)))
  const raise = async (em: ScopedEntityManager) => void ((await em.findOneOrFail(Task, task.id)).priority = 'HIGH')

  test('holds a task back until somebody has given it, and what it allows carries its decision', async () => {
    const item = await ask()
    await expect(complete()).rejects.toMatchObject({ code: 'work.approval_pending' })
    await work(em => approve(em, item, { rationale: 'It did.' }, raise), as.owner())
    await complete()
    const settled = await work(em => em.findOneOrFail(ApprovalItem, item.id))
    expect(settled).toMatchObject({ status: 'APPROVED', requestedByType: 'agent', confidence: 0.71 })
    expect(settled.decidedBy?.id).toBe(owner())
    const answer = await work(em => why(em, [Task, task.id], 'priority'))
    expect(answer).toMatchObject({ decision: { id: item.decisionId, actorId: router } })
  })

  test('holds a task back from a stage that completes it, and from no other', async () => {
    const item = await ask()
    const stages = [
      { key: 'new', name: 'New' },
      { key: 'won', name: 'Won', outcome: 'WON' },
      { key: 'lost', name: 'Lost', outcome: 'LOST' },
    ] as const
    await work(async em => void createPipeline(em, { key: 'refunds', name: 'Refunds', type: 'CUSTOM', stages }))
    const move = (key: string) =>
      work(async em => {
        const moved = await em.findOneOrFail(Task, task.id)
        await moveTask(em, moved, await em.findOneOrFail(PipelineStage, { key, pipeline: { key: 'refunds' } }))
        return moved.status
      })
    expect(await move('new')).toBe('NEW')
    await expect(move('won')).rejects.toMatchObject({ code: 'work.approval_pending' })
    expect(await move('lost')).toBe('CANCELLED')
    await work(async em => (await em.findOneOrFail(Task, task.id)).reopen())
    await work(em => approve(em, item, { rationale: 'It did.' }), as.owner())
    expect(await move('won')).toBe('DONE')
  })

  test('that is refused does nothing', async () => {
    const item = await ask()
    await work(em => rejectApproval(em, item, { rationale: 'It did not.' }), as.owner())
    await complete()
    await expect(work(em => approve(em, item, { rationale: 'Oh well.' }, raise), as.owner())).rejects.toMatchObject({
      code: 'work.approval_state',
    })
    expect((await work(em => em.findOneOrFail(Task, task.id))).priority).toBe('MEDIUM')
  })

  test('isn’t given by whoever asked for it', async () => {
    const item = await ask()
    await expect(work(em => approve(em, item, { rationale: 'Me.' }, raise), as.agent())).rejects.toMatchObject({
      code: 'audit.own_decision',
    })
    expect((await work(em => em.findOneOrFail(ApprovalItem, item.id))).status).toBe('PENDING')
  })

  test('isn’t given by a key of whoever asked for it, nor by them where their key has asked', async () => {
    const issued = (actor: Actor, name: string) =>
      work(em => issueApiKey(em, { name, environment: 'LIVE', scopes: ['approval-item:read'] }), actor).then(({ apiKey }) =>
        apiKeyActor(apiKey),
      )
    const hands = [as.owner(), await issued(as.owner(), 'one'), await issued(as.owner(), 'another')]
    for (const [asks, judges] of hands.flatMap(one => hands.map(other => [one, other] as const))) {
      const item = await ask(undefined, asks)
      const refusal = { code: 'audit.own_decision' }
      await expect(work(em => approve(em, item, { rationale: 'It is.' }), judges)).rejects.toMatchObject(refusal)
      await expect(work(em => rejectApproval(em, item, { rationale: 'It isn’t.' }), judges)).rejects.toMatchObject(refusal)
    }
  })

  test('runs out', async () => {
    const item = await ask(minutes(10))
    expect(await work(em => expireApprovals(em, minutes(9)))).toBe(0)
    expect(await work(em => expireApprovals(em, minutes(10)))).toBe(1)
    expect((await work(em => em.findOneOrFail(ApprovalItem, item.id))).status).toBe('EXPIRED')
    expect(await work(pendingDecisions)).toEqual([])
    await expect(work(em => settle(em, item.decisionId, { approved: true, rationale: 'Late.' }))).rejects.toMatchObject({
      code: 'audit.decision_settled',
    })
    await complete()
  })

  test('takes along what was changed of it before, and of everything else', async () => {
    const item = await ask()
    await work(async em => {
      const [mine, about] = [await em.findOneOrFail(ApprovalItem, item.id), await em.findOneOrFail(Task, task.id)]
      Object.assign(mine, { payload: { amount: 450 }, confidence: 0.5 })
      about.title = 'half a refund'
      await approve(em, mine, { rationale: 'Half of it.' })
      expect(mine).toMatchObject({ status: 'APPROVED', payload: { amount: 450 }, confidence: 0.5 })
    }, as.owner())
    const settled = await work(em => em.findOneOrFail(ApprovalItem, item.id))
    expect(settled).toMatchObject({ status: 'APPROVED', payload: { amount: 450 }, confidence: 0.5 })
    expect((await work(em => em.findOneOrFail(Task, task.id))).title).toBe('half a refund')
  })

  test('isn’t given by whoever has changed it, and hasn’t seen what somebody else changed of it', async () => {
    const em = scopeOf(as.owner())
    const mine = await em.findOneOrFail(ApprovalItem, (await ask()).id)
    await work(async other => Object.assign(await other.findOneOrFail(ApprovalItem, mine.id), { payload: { amount: 1 } }))
    mine.payload = { amount: 450 }
    await expect(approve(em, mine, { rationale: 'Half of it.' })).rejects.toThrow(OptimisticLockError)
    expect(await work(other => other.findOneOrFail(ApprovalItem, mine.id))).toMatchObject({ status: 'PENDING', payload: { amount: 1 } })
  })

  test('is seen as it is by now where whoever gives it has changed nothing of it', async () => {
    const em = scopeOf(as.owner())
    const mine = await em.findOneOrFail(ApprovalItem, (await ask(minutes(10))).id)
    await work(other => expireApprovals(other, minutes(10)))
    await expect(approve(em, mine, { rationale: 'Too late.', at: minutes(5) })).rejects.toMatchObject({ code: 'work.approval_state' })
  })

  test('of ten who settle it at once, one does', async () => {
    const item = await ask()
    const attempts = await Promise.allSettled(
      Array.from({ length: 10 }, (_none, index) => work(em => approve(em, item, { rationale: `${index}` }), systemActor(`judge ${index}`))),
    )
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})
