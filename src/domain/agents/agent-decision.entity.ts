import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { storableText } from '../../kernel/storable.ts'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { ApprovalItem } from '../work/index.ts'
import { OrchestrationAgent } from './orchestration-agent.entity.ts'

export const agentDecisionStatuses = ['PENDING', 'REQUIRES_APPROVAL', 'EXECUTED', 'REJECTED', 'FAILED'] as const
export type AgentDecisionStatus = (typeof agentDecisionStatuses)[number]

/** One that failed may be tried again; what was done or rejected is over. */
export const agentDecisionTransitions: Transitions<AgentDecisionStatus> = {
  PENDING: ['EXECUTED', 'REJECTED', 'FAILED'],
  REQUIRES_APPROVAL: ['EXECUTED', 'REJECTED', 'FAILED'],
  FAILED: ['EXECUTED', 'REJECTED', 'FAILED'],
  EXECUTED: [],
  REJECTED: [],
}

/** One thing to do, by a tool of the agent's. */
export interface AgentAction {
  readonly tool: string
  readonly parameters: Readonly<Record<string, unknown>>
  /** From 0 to 1: how bad it would be if it were wrong. */
  readonly risk?: number
}

/** What an agent decided, from what and why, and what became of it. The log has the same decision as an event. */
export class AgentDecision extends TenantRow {
  declare agent: Ref<OrchestrationAgent>
  declare type: string
  declare status: Opt<AgentDecisionStatus>
  /** Where the input came from: `task`, `mail`, `chat`. */
  declare inputSource: string
  declare input: Record<string, unknown>
  declare reasoning: string
  declare actions: Opt<AgentAction[]>
  declare confidence: number
  declare requiresApproval: boolean
  declare approval?: Ref<ApprovalItem> | null
  /** The decision in the log. */
  declare eventId: string
  /** Of whom its subject tells, if of anybody: the log tells it under their key. */
  declare personId?: string | null
  declare executedAt?: Date | null
  declare error?: string | null
  declare version: Opt<number>

  execute(at: Date): void {
    this.become('EXECUTED')
    this.executedAt = at
    this.error = null
  }

  fail(error: string): void {
    this.become('FAILED')
    this.error = storableText(error)
  }

  reject(): void {
    this.become('REJECTED')
  }

  /** Whether it may still be carried out; said before anything is done for it. */
  requireOpen(): void {
    nextState('A decision', agentDecisionTransitions, this.status, 'EXECUTED')
  }

  private become(status: AgentDecisionStatus): void {
    this.status = nextState('A decision', agentDecisionTransitions, this.status, status)
  }
}

export const AgentDecisionSchema: EntitySchema<AgentDecision> = tenantEntity({
  class: AgentDecision,
  properties: {
    agent: () => p.manyToOne(OrchestrationAgent).ref(),
    type: p.text(),
    status: p.enum(agentDecisionStatuses).default('PENDING'),
    inputSource: p.text(),
    input: p.json<Record<string, unknown>>(),
    reasoning: p.text(),
    actions: p
      .json<AgentAction[]>()
      .onCreate(() => [])
      .defaultRaw(`'[]'`),
    confidence: p.decimal('number').precision(4).scale(3),
    requiresApproval: p.boolean(),
    approval: () => p.manyToOne(ApprovalItem).ref().nullable().deleteRule('restrict'),
    eventId: p.uuid(),
    personId: p.uuid().nullable(),
    executedAt: moment().nullable(),
    error: p.text().nullable(),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['eventId'] }],
  indexes: [{ properties: ['agent', 'createdAt'] }, { properties: ['status', 'createdAt'] }],
  checks: [
    { name: 'agent_decision_confidence', expression: 'confidence >= 0 and confidence <= 1' },
    { name: 'agent_decision_actions_list', expression: `jsonb_typeof(actions) = 'array'` },
    { name: 'agent_decision_executed', expression: `(status = 'EXECUTED') = (executed_at is not null)` },
    { name: 'agent_decision_approval', expression: 'requires_approval = (approval_id is not null)' },
  ],
  immutable: ['agent', 'type', 'inputSource', 'input', 'reasoning', 'actions', 'confidence', 'requiresApproval', 'eventId', 'personId'],
  audit: { personal: ['input', 'reasoning', 'actions'], person: 'personId' },
})
