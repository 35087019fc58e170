import { decide, personBehind } from '../../audit/index.ts'
import { now } from '../../kernel/clock.ts'
import { inTurn, lockedAfresh, type ScopedEntityManager, type TenantRow } from '../../orm/index.ts'
import { type ApprovalItem, requestApproval } from '../work/index.ts'
import { type AgentAction, AgentDecision } from './agent-decision.entity.ts'
import { AgentImpersonatedError, AgentInactiveError, AgentRateLimitError } from './agents.errors.ts'
import { OrchestrationAgent } from './orchestration-agent.entity.ts'

export interface AgentDecisionInput {
  /** `task.assignment`, `ticket.refund`. */
  readonly type: string
  readonly subject: TenantRow
  /** The subject in the words of the log: `task`. */
  readonly subjectType: string
  readonly inputSource: string
  readonly input: Record<string, unknown>
  readonly reasoning: string
  readonly confidence: number
  readonly actions: AgentAction[]
  /** The model that was asked, with its version. */
  readonly model?: string
  readonly alternatives?: readonly unknown[]
}

/**
 * Records what an agent decided, in its own name. Where it is unsure, or an action is riskier than it may take by itself, the decision waits
 * for a person; otherwise `executeDecision` carries it out.
 */
export function decideAsAgent(
  em: ScopedEntityManager,
  { id }: OrchestrationAgent,
  input: AgentDecisionInput,
  at: Date = now(),
): Promise<AgentDecision> {
  return inTurn(em, async inner => {
    // The agent's decisions take turns, or several at once would each see the limit not reached yet.
    const agent = await lockedAfresh(inner, OrchestrationAgent, id)
    await assertMayDecide(inner, agent, input, at)
    const { type, inputSource, reasoning, confidence, actions } = input
    const requiresApproval = agent.needsApproval(
      confidence,
      actions.map(({ risk = 0 }) => risk),
    )
    const { eventId, approval } = requiresApproval ? await propose(inner, input) : await record(inner, input)
    const personId = await personBehind(inner, input.subject)
    const told = { type, inputSource, input: input.input, reasoning, confidence, actions, requiresApproval, eventId, personId }
    return inner.create(AgentDecision, { ...told, agent, approval, status: requiresApproval ? 'REQUIRES_APPROVAL' : 'PENDING' })
  })
}

interface Recorded {
  readonly eventId: string
  readonly approval: ApprovalItem | null
}

async function propose(em: ScopedEntityManager, input: AgentDecisionInput): Promise<Recorded> {
  const { type, subject, subjectType, reasoning, actions, confidence } = input
  const told = { type, subject, subjectType, reason: reasoning, payload: { actions }, confidence }
  const approval = await requestApproval(em, { ...told, ...groundsOf(input) })
  return { eventId: approval.decisionId, approval }
}

async function record(em: ScopedEntityManager, input: AgentDecisionInput): Promise<Recorded> {
  const { type, subject, reasoning: rationale, actions: outcome, confidence } = input
  const { id } = await decide(em, { type, subject, outcome, rationale, confidence, ...groundsOf(input) })
  return { eventId: id, approval: null }
}

function groundsOf({ input, model, alternatives }: AgentDecisionInput) {
  return { inputs: input, ...(model && { model }), ...(alternatives && { alternatives }) }
}

async function assertMayDecide(em: ScopedEntityManager, agent: OrchestrationAgent, input: AgentDecisionInput, at: Date): Promise<void> {
  const { actor } = em.boundScope!
  if (actor.type !== 'agent' || actor.id !== agent.id) throw new AgentImpersonatedError(agent.id)
  if (!agent.isActive) throw new AgentInactiveError(agent.name)
  agent.requireTools(input.actions.map(({ tool }) => tool))
  if (!agent.rateLimit) return
  const anHourAgo = new Date(at.getTime() - 60 * 60_000)
  const recent = await em.count(AgentDecision, { agent, createdAt: { $gt: anHourAgo } })
  if (recent >= agent.rateLimit) throw new AgentRateLimitError(agent.name, agent.rateLimit)
}
