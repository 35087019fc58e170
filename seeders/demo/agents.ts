import { agentActor } from '../../src/context/index.ts'
import {
  AgentDecision,
  AIProviderConfig,
  type AIProvider,
  configureProvider,
  decideAsAgent,
  OrchestrationAgent,
  Task,
  type TaskPriority,
} from '../../src/entities.ts'
import { demoArea } from './demo-area.ts'
import { bySeeder } from './demo-unit.ts'

interface AgentData {
  readonly provider: { readonly name: string; readonly provider: AIProvider; readonly model: string; readonly baseUrl: string }
  readonly agent: { readonly name: string; readonly instructions: string; readonly tools: readonly string[]; readonly rateLimit: number }
  readonly decision: {
    readonly type: string
    readonly task: string
    readonly reasoning: string
    readonly confidence: number
    readonly priority: TaskPriority
    readonly risk: number
  }
}

const data: Readonly<Record<string, AgentData>> = {
  'demo-org': {
    provider: { name: 'Model in the house', provider: 'LOCAL', model: 'small-1', baseUrl: 'http://127.0.0.1:11434' },
    agent: {
      name: 'Dispatcher',
      instructions: 'Say who should take a task and how urgent it is. Ask a person where money is involved.',
      tools: ['task.assign', 'task.prioritize'],
      rateLimit: 60,
    },
    decision: {
      type: 'task.dispatch',
      task: 'Refund invoice 2025-000117',
      reasoning: 'The same amount arrived twice within a minute. Whoever owns the account should look at it today.',
      confidence: 0.71,
      priority: 'URGENT',
      risk: 0.8,
    },
  },
}

/** An agent, and a decision of its that waits for a person, because money is at stake. */
export const agents = demoArea('agents', data, async (work, { provider, agent: told, decision }) => {
  const agent = await work.transact(async demo => {
    const { em } = demo
    const providerConfig = await demo.ensure(AIProviderConfig, { name: provider.name }, () => configureProvider(em, provider))
    const { tools, ...rest } = told
    return demo.ensure(OrchestrationAgent, { name: told.name }, () =>
      em.create(OrchestrationAgent, { ...rest, tools: [...tools], providerConfig }),
    )
  })
  await work.transact(async demo => {
    const { type, reasoning, confidence, priority, risk } = decision
    const subject = await demo.em.findOneOrFail(Task, { title: decision.task }, bySeeder)
    const input = { task: subject.title }
    const grounds = { type, subject, subjectType: 'task', inputSource: 'task', input, reasoning, confidence, model: provider.model }
    const actions = [
      { tool: 'task.prioritize', parameters: { task: subject.id, priority }, risk },
      { tool: 'task.assign', parameters: { task: subject.id, assignee: work.owner }, risk },
    ]
    const make = () => decideAsAgent(demo.em, agent, { ...grounds, actions })
    await demo.ensure(AgentDecision, { agent: agent.id, type }, make, { ApprovalItem: 1 })
  }, agentActor(agent))
})
