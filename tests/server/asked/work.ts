import { bySeeder } from '../../../seeders/demo/demo-unit.ts'
import { agentActor, userActor } from '../../../src/context/index.ts'
import {
  type AgentDecision,
  AIProviderConfig,
  ApprovalItem,
  type AgentDecisionInput,
  approve,
  approveDecision,
  completeTask,
  createPipeline,
  createTemplate,
  decideAsAgent,
  ensureBuiltinWork,
  executeDecision,
  makeDefault,
  Membership,
  migratePipelineItems,
  moveTask,
  OrchestrationAgent,
  overrideDecision,
  PipelineStage,
  providerSecretOf,
  rejectApproval,
  rejectDecision,
  replaceProviderSecret,
  requestApproval,
  reviseTemplate,
  Task,
  timesInStages,
  useTokens,
} from '../../../src/entities.ts'
import { decisionBehind } from '../../../src/domain/agents/internal.ts'
import type { ScopedEntityManager } from '../../../src/orm/index.ts'
import type { Calls, World } from './world.ts'

/** A task of the demo's; the crowd's are in states that no service would make. */
const aTask = (em: ScopedEntityManager) => em.findOneOrFail(Task, { title: 'Plain' }, bySeeder)
const anAgent = (em: ScopedEntityManager) => em.findOneOrFail(OrchestrationAgent, { name: 'Dispatcher' })

async function decision(world: World, confidence: number): Promise<AgentDecision> {
  const agent = await world.work(anAgent)
  return world.work(async em => {
    const input: AgentDecisionInput = {
      type: 'task.assignment',
      subject: await aTask(em),
      subjectType: 'task',
      inputSource: 'task',
      input: {},
      reasoning: 'It is what they do best.',
      confidence,
      actions: [{ tool: 'task.assign', parameters: {} }],
    }
    return decideAsAgent(em, agent, input)
  }, agentActor(agent))
}

const tools = { 'task.assign': () => Promise.resolve() }
const verdict = { rationale: 'It fits what we know.' }

export const aboutWork: Calls = {
  'a task of one’s own': world => world.work(async em => void em.create(Task, { title: 'Plain' })),

  async 'what one has to do, and what is due'(world) {
    const at = new Date('2026-01-08T08:00:00Z')
    await world.work(em => em.find(Task, { assignee: world.owner, status: 'NEW' }, { limit: 51 }))
    await world.work(em => em.find(Task, { status: 'NEW', dueAt: { $lte: at } }, { orderBy: { dueAt: 'asc' }, limit: 51 }))
    const [inStage] = await world.work(em => em.find(Task, { status: 'NEW', stage: { $ne: null } }, { limit: 1 }))
    await world.work(em => em.find(Task, { stage: inStage!.stage! }, { orderBy: { stageEnteredAt: 'asc' }, limit: 51 }))
    await world.work(em => timesInStages(em, inStage!))
  },

  async approvals(world) {
    const ask = () =>
      world.asSystem(async em => {
        const [task, reason] = [await aTask(em), 'Money is at stake.']
        return requestApproval(em, { type: 'task.refund', subject: task, subjectType: 'task', reason })
      })
    const [first, second] = [await ask(), await ask()]
    await world.work(em => approve(em, first, verdict))
    await world.work(em => rejectApproval(em, second, verdict))
  },

  async 'decisions of agents'(world) {
    const sure = await decision(world, 0.99)
    await world.work(em => executeDecision(em, sure, tools))
    const [approved, rejected] = [await decision(world, 0.1), await decision(world, 0.1)]
    await world.work(em => approveDecision(em, approved, verdict, tools))
    await world.work(em => rejectDecision(em, rejected, verdict))
    const byItem = await decision(world, 0.1)
    await world.work(async em => {
      const item = await em.findOneOrFail(ApprovalItem, byItem.approval!.id)
      await decisionBehind(em, item)
      await approve(em, item, verdict)
    })
    await world.work(em => executeDecision(em, byItem, tools))
    await world.work(async em =>
      overrideDecision(em, sure, { subject: await aTask(em), outcome: 'another', rationale: 'They are on holiday.' }),
    )
  },

  'providers of models': world =>
    world.work(async em => {
      const provider = await em.findOneOrFail(AIProviderConfig, { name: 'Model in the house' })
      await makeDefault(em, provider)
      await replaceProviderSecret(em, provider, 'the key of a test')
      await providerSecretOf(em, provider)
      await useTokens(em, provider, 10)
    }),

  'pipelines and templates': world =>
    world.work(async em => {
      await ensureBuiltinWork(em)
      const stages = [
        { key: 'begin', name: 'Begin' },
        { key: 'end', name: 'End', outcome: 'DONE' as const },
      ]
      createPipeline(em, { key: 'own', name: 'Our own', type: 'CUSTOM', stages })
      const definition = { title: 'Do it', schema: { type: 'object' as const, properties: {} } }
      const template = createTemplate(em, { key: 'own', name: 'Our own', pipelineType: 'CUSTOM', definition })
      await em.flush()
      await reviseTemplate(em, template, { name: 'Still our own' })
    }),

  'items that become tasks': world => world.asSystem(em => migratePipelineItems(em, 20)),

  'completing it': world => world.work(async em => completeTask(em, await aTask(em))),

  'moving it to its end': world =>
    world.work(async em => {
      const won = await em.findOneOrFail(PipelineStage, { key: 'won', pipeline: { key: 'sales' } }, bySeeder)
      const task = em.create(Task, { title: 'To be won' })
      await em.flush()
      await moveTask(em, task, won)
    }),

  'who works here': world => world.work(em => em.findOne(Membership, { user: world.owner, status: 'ACTIVE' }), userActor(world.owner)),
}
