import { OptimisticLockError, wrap } from '@mikro-orm/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import {
  assignTask,
  builtinTemplates,
  completeTask,
  createPipeline,
  createTaskFromTemplate,
  createTemplate,
  ensureBuiltinWork,
  IntakeRequest,
  migratePipelineItems,
  moveTask,
  Pipeline,
  PipelineItem,
  PipelineStage,
  pipelineTypes,
  receiveRequest,
  reviseTemplate,
  routeIntake,
  Task,
  TaskTemplate,
  timesInStages,
} from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { history } from '../../src/readers/index.ts'
import { useWorkshop } from './use-workshop.ts'

const { owner, scopeOf, work } = useWorkshop()

const stages = [
  { key: 'new', name: 'New' },
  { key: 'offer', name: 'Offer' },
  { key: 'won', name: 'Won', outcome: 'WON' },
  { key: 'lost', name: 'Lost', outcome: 'LOST' },
] as const
const pipelineOf = (key: string, type: Pipeline['type'] = 'SALES', routing = {}) => ({ key, name: key, type, routing, stages })
const stage = (em: ScopedEntityManager, key: string, pipeline = 'sales') =>
  em.findOneOrFail(PipelineStage, { key, pipeline: { key: pipeline } })
const minutes = (count: number) => new Date(Date.UTC(2026, 10, 21, 10, count))

describe('a pipeline', () => {
  test.each([
    [[], 'first stage must be one in which work begins'],
    [[{ key: 'a', name: 'A' }], 'no stage has an outcome'],
    [[{ key: 'won', name: 'Won', outcome: 'WON' as const }], 'first stage must be one in which work begins'],
    [[stages[0], stages[0], stages[2]], 'key new stands for several stages'],
  ])('with stages %j is refused', async (broken, problem) => {
    const attempt = work(async em => void createPipeline(em, { ...pipelineOf('broken'), stages: broken }))
    await expect(attempt).rejects.toThrow(problem)
  })

  test('can’t lose a stage in which work stands', async () => {
    await work(async em => void createPipeline(em, pipelineOf('sales')))
    await work(async em => em.create(Task, { title: 'a call' }).enter(await stage(em, 'new'), minutes(0)))
    await expect(work(async em => void em.remove(await stage(em, 'new')))).rejects.toThrow(/task_stage_id_foreign/)
  })
})

describe('a task in a pipeline', () => {
  let id: string
  beforeEach(async () => {
    await work(async em => {
      createPipeline(em, pipelineOf('sales'))
      createPipeline(em, pipelineOf('support', 'SUPPORT'))
    })
    id = await work(async em => {
      const task = em.create(Task, { title: 'a call' })
      task.enter(await stage(em, 'new'), minutes(0))
      return task.id
    })
  })
  const move = (to: string, at: Date, pipeline?: string) =>
    work(async em => (await em.findOneOrFail(Task, id)).enter(await stage(em, to, pipeline), at))

  test('spends in each stage the time that the log tells', async () => {
    await move('offer', minutes(10))
    await move('offer', minutes(15))
    await move('new', minutes(40))
    await move('won', minutes(45))
    const visits = await work(async em => {
      const task = await em.findOneOrFail(Task, id)
      const keys = new Map((await em.find(PipelineStage, {})).map(each => [each.id, each.key]))
      return (await timesInStages(em, task, minutes(60))).map(({ stage: where, ms }) => [keys.get(where), ms / 60_000])
    })
    expect(visits).toEqual([
      ['new', 10],
      ['offer', 30],
      ['new', 5],
      ['won', 0],
    ])
  })

  test('ends in a terminal stage as that stage says, and stays there until it is reopened', async () => {
    await move('won', minutes(5))
    expect(await work(em => em.findOneOrFail(Task, id))).toMatchObject({ status: 'DONE', completedAt: minutes(5) })
    await expect(move('new', minutes(6))).rejects.toMatchObject({ code: 'work.task_closed' })
    await work(async em => (await em.findOneOrFail(Task, id)).reopen())
    await move('lost', minutes(7))
    expect(await work(em => em.findOneOrFail(Task, id))).toMatchObject({ status: 'CANCELLED', completedAt: null })
  })

  test('that is refused the stage stands where it stood', async () => {
    const em = scopeOf(systemActor('mover'))
    const task = await em.findOneOrFail(Task, id)
    task.block()
    for (const key of ['won', 'new'] as const) {
      const there = await stage(em, key, key === 'won' ? 'sales' : 'support')
      await expect(moveTask(em, task, there, minutes(1))).rejects.toMatchObject({ code: expect.stringMatching(/refused|elsewhere/) })
    }
    await em.flush()
    const stored = await work(other => other.findOneOrFail(Task, id, { populate: ['stage'] }))
    expect(stored).toMatchObject({ status: 'BLOCKED', completedAt: null, stageEnteredAt: minutes(0) })
    expect(stored.stage!.$.key).toBe('new')
  })

  test('completes the request that it came from when its last stage does', async () => {
    const request = await work(async em => {
      const asked = em.create(IntakeRequest, { source: 'EMAIL', subject: 'A call, please', receivedAt: minutes(0) })
      asked.startRouting()
      asked.assign(await em.findOneOrFail(Task, id))
      return asked.id
    })
    const moved = (to: string) =>
      work(async em => {
        await moveTask(em, await em.findOneOrFail(Task, id), await stage(em, to), minutes(5))
        return (await em.findOneOrFail(IntakeRequest, request)).status
      })
    expect(await moved('offer')).toBe('ASSIGNED')
    expect(await moved('won')).toBe('COMPLETED')
  })

  test('has spent its time in the stage in which it was cancelled', async () => {
    const anHourAgo = new Date(Date.now() - 3_600_000)
    await move('offer', anHourAgo)
    await work(async em => (await em.findOneOrFail(Task, id)).cancel())
    const lastVisit = async () => (await work(async em => timesInStages(em, await em.findOneOrFail(Task, id)))).at(-1)!
    const leftAt = (await work(em => history(em, [Task, id]))).at(-1)!.event.recordedAt
    expect(await lastVisit()).toMatchObject({ leftAt, ms: leftAt.getTime() - anHourAgo.getTime() })
    await work(async em => (await em.findOneOrFail(Task, id)).reopen())
    await move('lost', minutes(7))
    expect(await lastVisit()).toMatchObject({ enteredAt: minutes(7), ms: 0 })
  })

  test('doesn’t stray into another pipeline', async () => {
    await expect(move('new', minutes(1), 'support')).rejects.toMatchObject({ code: 'work.stage_elsewhere' })
  })

  test('of 20 who move it at once, one does', async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 20 }, async (_none, index) => {
        const em = scopeOf(systemActor(`mover ${index}`))
        const task = await em.findOneOrFail(Task, id)
        task.enter(await stage(em, 'offer'), minutes(index))
        await em.flush()
      }),
    )
    const lost = attempts.filter(({ status }) => status === 'rejected')
    const moves = await work(async em =>
      (await history(em, [Task, id])).filter(({ changes }) => changes.some(({ property }) => property === 'stage')),
    )
    // Whoever read after another had moved it finds nothing to do.
    expect(moves).toHaveLength(2)
    for (const attempt of lost) expect((attempt as PromiseRejectedResult).reason).toBeInstanceOf(OptimisticLockError)
  })

  test('is given to a member under the id that they have, also where it is spelled in capitals', async () => {
    await work(async em => assignTask(em, await em.findOneOrFail(Task, id), owner().toUpperCase()))
    const told = (await work(async em => history(em, [Task, id]))).at(-1)!.changes
    expect(told).toContainEqual({ property: 'assignee', before: null, after: owner() })
  })

  test('is given to members alone', async () => {
    await work(async em => assignTask(em, await em.findOneOrFail(Task, id), owner()))
    expect((await work(em => em.findOneOrFail(Task, id))).assignee?.id).toBe(owner())
    await expect(work(async em => assignTask(em, await em.findOneOrFail(Task, id), newId()))).rejects.toMatchObject({
      code: 'work.assignee_unknown',
    })
  })
})

test.each([
  [`update task set status = 'DONE'`, 'task_completed_when_done'],
  [`update task set stage_entered_at = now()`, 'task_stage_entered'],
  [`update task set status = 'LATER'`, 'task_status_check'],
])('raw SQL can’t say what makes no sense: %s', async (sql, constraint) => {
  await work(async em => void em.create(Task, { title: 'a task' }))
  await expect(work(em => em.execute(sql))).rejects.toThrow(constraint)
})

describe('a template', () => {
  const definition = {
    title: 'Call {{ name }} back',
    schema: {
      type: 'object' as const,
      properties: { name: { type: 'string' as const, minLength: 1 }, size: { type: 'integer' as const, minimum: 1 } },
      required: ['name'],
    },
    checklist: ['Say hello'],
  }
  const callBack = { key: 'call-back', name: 'Call back', kind: 'CALL', pipelineType: 'SALES', definition, slaMinutes: 30 } as const

  test('makes tasks as it says', async () => {
    await work(async em => {
      createPipeline(em, pipelineOf('sales'))
      createTemplate(em, callBack)
    })
    const task = await work(async em => {
      const template = await em.findOneOrFail(TaskTemplate, { key: 'call-back' })
      const pipeline = await em.findOneOrFail(Pipeline, { key: 'sales' })
      return createTaskFromTemplate(em, template, { data: { name: 'Ada', size: 2 }, source: 'FORM', pipeline, at: minutes(0) })
    })
    expect(task).toMatchObject({ title: 'Call Ada back', kind: 'CALL', source: 'FORM', priority: 'MEDIUM', dueAt: minutes(30) })
    expect(task.data).toEqual({ name: 'Ada', size: 2, checklist: [{ text: 'Say hello', isDone: false }] })
    expect(task.stageEnteredAt).toEqual(minutes(0))
  })

  test.each<[Record<string, unknown>, RegExp]>([
    [{}, /name/],
    [{ name: '' }, /\/name/],
    [{ name: 'Ada', size: 0 }, /\/size/],
    [{ name: 'Ada', other: 1 }, /other|additional/i],
  ])('takes no data like %j', async (data, problem) => {
    const attempt = work(async em => createTaskFromTemplate(em, createTemplate(em, callBack), { data }))
    await expect(attempt).rejects.toMatchObject({ code: 'work.template_data', message: expect.stringMatching(problem) })
  })

  test.each<[unknown, RegExp]>([
    [{ ...definition, title: 'Call {{ nobody }}' }, /no field nobody/],
    [{ ...definition, schema: { ...definition.schema, required: ['gone'] } }, /no field gone/],
    [{ ...definition, schema: { ...definition.schema, properties: { name: { type: 'string', pattern: '(a+)+$' } } } }, /name/],
    [{ title: 'x' }, /schema/],
    [null, /problem/],
  ])('isn’t made from %j', async (broken, problem) => {
    const attempt = work(async em => void createTemplate(em, { ...callBack, definition: broken as typeof definition }))
    await expect(attempt).rejects.toMatchObject({ code: 'work.template_invalid', message: expect.stringMatching(problem) })
  })

  test('is revised for what comes, and stays what it was for what there is', async () => {
    const task = await work(async em => createTaskFromTemplate(em, createTemplate(em, callBack), { data: { name: 'Ada' } }))
    await work(async em => {
      const template = await em.findOneOrFail(TaskTemplate, { key: 'call-back', isActive: true })
      await reviseTemplate(em, template, { definition: { ...definition, title: 'Ring {{ name }}' } })
    })
    await work(async em => {
      const found = await em.findOneOrFail(Task, task.id, { populate: ['template'] })
      expect(found.template!.$).toMatchObject({ revision: 1, isActive: false, definition: { title: 'Call {{ name }} back' } })
      await expect(createTaskFromTemplate(em, found.template!.$, { data: { name: 'B' } })).rejects.toMatchObject({
        code: 'work.template_retired',
      })
      const active = await em.findOneOrFail(TaskTemplate, { key: 'call-back', isActive: true })
      expect(active).toMatchObject({ revision: 2, slaMinutes: 30, kind: 'CALL' })
      expect((await createTaskFromTemplate(em, active, { data: { name: 'B' } })).title).toBe('Ring B')
    })
    await expect(work(em => em.execute(`update task_template set definition = '{}'`))).rejects.toMatchObject({
      code: 'tenancy.identity_immutable',
    })
  })
})

describe('a request', () => {
  const request = (em: ScopedEntityManager, more: Partial<IntakeRequest> = {}) =>
    em.create(IntakeRequest, { source: 'EMAIL', subject: 'The invoice is wrong', receivedAt: minutes(0), ...more } as IntakeRequest)
  const pipelines = async (em: ScopedEntityManager) => {
    createPipeline(em, pipelineOf('general', 'GENERIC'))
    createPipeline(em, pipelineOf('billing', 'BILLING', { words: ['invoice', 'refund'] }))
    createPipeline(em, pipelineOf('support', 'SUPPORT', { sources: ['CHAT'], words: ['broken'] }))
  }

  test.each([
    [{}, 'billing'],
    [{ source: 'CHAT' as const, subject: 'Hello' }, 'support'],
    [{ source: 'CHAT' as const, subject: 'Refund my invoice' }, 'billing'],
    [{ subject: 'Hello' }, 'general'],
  ])('%j goes to %s and becomes a task there', async (more, key) => {
    await work(pipelines)
    const task = await work(async em => routeIntake(em, request(em, more), minutes(1)))
    await work(async em => {
      const routed = await em.findOneOrFail(IntakeRequest, { task }, { populate: ['pipeline', 'task.stage'] })
      expect(routed).toMatchObject({ status: 'ASSIGNED' })
      expect(routed.pipeline!.$.key).toBe(key)
      expect(routed.task!.$.stage!.$.key).toBe('new')
      await completeTask(em, routed.task!.$, minutes(2))
      expect(routed.status).toBe('COMPLETED')
    })
  })

  test('keeps what somebody wrote to itself: nothing in the log tells it in clear', async () => {
    await work(pipelines)
    const body = `It is ${newId()}, and me.`
    const task = await work(async em => routeIntake(em, request(em, { body })))
    await work(async em => {
      expect((await em.findOneOrFail(IntakeRequest, { task })).body).toBe(body)
      const told = await em.execute<{ after: string }[]>('select after::text from audit_event where after is not null')
      expect(told.length).toBeGreaterThan(3)
      expect(told.filter(({ after }) => after.includes(body))).toEqual([])
    })
  })

  test('that no pipeline takes stays where it was', async () => {
    const id = await work(async em => request(em).id)
    await expect(work(async em => routeIntake(em, await em.findOneOrFail(IntakeRequest, id)))).rejects.toMatchObject({
      code: 'work.nowhere_to_route',
    })
    expect((await work(em => em.findOneOrFail(IntakeRequest, id))).status).toBe('NEW')
  })

  test('keeps its sender’s address as everybody’s is written, and refuses what is none', async () => {
    const receive = (requesterEmail?: string) =>
      work(async em => receiveRequest(em, { source: 'EMAIL', subject: 'Hello', ...(requesterEmail !== undefined && { requesterEmail }) }))
    expect((await receive(' Zoe\u0301@Zenith.example')).requesterEmail).toBe('zoé@zenith.example')
    expect((await receive()).requesterEmail).toBeNull()
    for (const none of ['zoé\u200b@zenith.example', 'zoé'])
      await expect(receive(none)).rejects.toMatchObject({ code: 'identity.email_invalid' })
  })

  test('is told in the log without what tells of its sender', async () => {
    await work(async em => void request(em, { requesterEmail: 'ada@example.com', body: 'I am Ada.' }))
    const [{ log }] = (await work(em => em.execute<{ log: string }[]>(`select string_agg(after::text, '') as log from audit_event`))) as [
      { log: string },
    ]
    expect(log).toContain('The invoice is wrong')
    expect(log).not.toMatch(/ada@|I am/)
  })
})

test('an organization begins with a pipeline and a template of each type, and keeps what its people made of them', async () => {
  await work(ensureBuiltinWork)
  await work(async em => void ((await em.findOneOrFail(Pipeline, { key: 'sales' })).name = 'Our sales'))
  await work(ensureBuiltinWork)
  await work(async em => {
    const pipelines = await em.find(Pipeline, {}, { populate: ['stages'] })
    expect(new Set(pipelines.map(({ type }) => type))).toEqual(new Set(pipelineTypes.filter(type => type !== 'CUSTOM')))
    expect(pipelines.map(({ name }) => name)).toContain('Our sales')
    for (const { stages: its } of pipelines) expect(its.getItems().map(({ position }) => position)).toEqual([...its.getItems().keys()])
    expect(await em.count(TaskTemplate, { isActive: true })).toBe(builtinTemplates.length)
    const request = em.create(IntakeRequest, { source: 'CHAT', subject: 'Refund my payment, please', receivedAt: minutes(0) })
    expect((await routeIntake(em, request)).pipeline!.id).toBe(pipelines.find(({ key }) => key === 'billing')!.id)
  })
})

test('items become tasks where they stand, once, some at a time', async () => {
  await work(async em => void createPipeline(em, pipelineOf('sales')))
  await work(async em => {
    const at = await stage(em, 'offer')
    for (let index = 0; index < 5; index++)
      em.create(PipelineItem, { pipeline: at.pipeline, stage: wrap(at).toReference(), title: `item ${index}`, data: { index } })
    const done = await stage(em, 'won')
    em.create(PipelineItem, { pipeline: done.pipeline, stage: wrap(done).toReference(), title: 'sold' })
  })
  const moved = []
  for (let count = -1; count !== 0; moved.push(count)) count = await work(em => migratePipelineItems(em, 4))
  expect(moved).toEqual([4, 2, 0])
  const tasks = await work(em => em.find(Task, {}, { orderBy: { title: 'asc' }, populate: ['stage'] }))
  expect(tasks.map(({ title, status, stage: at }) => `${title} ${status} ${at!.$.key}`)).toEqual([
    ...[0, 1, 2, 3, 4].map(index => `item ${index} NEW offer`),
    'sold DONE won',
  ])
})
