import { because, decide } from '../../audit/index.ts'
import { now } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/error.ts'
import { inTurn, lockedAfresh, type ScopedEntityManager, type TenantRow, wholly } from '../../orm/index.ts'
import { revert } from '../../readers/index.ts'
import { ApprovalItem, ApprovalStateError, approve, rejectApproval, type Verdict } from '../work/index.ts'
import { type AgentAction, AgentDecision } from './agent-decision.entity.ts'
import { AgentInactiveError, ApprovalNeededError, NoApprovalNeededError, ToolUnknownError } from './agents.errors.ts'
import { OrchestrationAgent } from './orchestration-agent.entity.ts'

/** What an agent's tools do, by name. */
export type Tools = Readonly<Record<string, Tool>>
export type Tool = (em: ScopedEntityManager, parameters: AgentAction['parameters'], decision: AgentDecision) => Promise<unknown>

/**
 * Carries a decision out: all of its actions or none. What they change points back to the decision in the log. Where one fails, the decision
 * says so and may be tried again. One that needs approval is carried out once its approval item was approved, wherever that was done.
 */
export function executeDecision(em: ScopedEntityManager, { id }: AgentDecision, tools: Tools, at: Date = now()): Promise<AgentDecision> {
  return inTurn(em, async inner => {
    const decision = await lockDecision(inner, id)
    await requireApproved(inner, decision)
    conclude(decision, await because(inner, { decision: decision.eventId }, () => failureOf(inner, decision, tools)), at)
    return decision
  })
}

/** Approves what waits, and carries it out in the same transaction. */
export function approveDecision(em: ScopedEntityManager, { id }: AgentDecision, verdict: Verdict, tools: Tools): Promise<AgentDecision> {
  return inTurn(em, async inner => {
    const decision = await lockDecision(inner, id)
    const approval = await approvalOf(inner, decision)
    let failure: string | undefined
    await approve(inner, approval, verdict, async working => (failure = await failureOf(working, decision, tools)))
    conclude(decision, failure, verdict.at ?? now())
    return decision
  })
}

export function rejectDecision(em: ScopedEntityManager, { id }: AgentDecision, verdict: Verdict): Promise<AgentDecision> {
  return inTurn(em, async inner => {
    const decision = await lockDecision(inner, id)
    const approval = await approvalOf(inner, decision)
    if (decision.status !== 'REQUIRES_APPROVAL' || !isRefused(approval)) await rejectApproval(inner, approval, verdict)
    decision.reject()
    return decision
  })
}

export interface Override {
  readonly subject: TenantRow
  readonly outcome: unknown
  readonly rationale: string
  /** Takes back all that it did, or refuses where a later change would be lost. */
  readonly undo?: boolean
}

/**
 * Somebody decides otherwise: a decision of its own, which says what it takes the place of. `work` makes it so. What has not been carried out by
 * then never will be; what waits for approval is rejected and not overridden, so that whoever was asked gets to know.
 */
export async function overrideDecision(
  em: ScopedEntityManager,
  { id }: AgentDecision,
  { subject, outcome, rationale, undo }: Override,
  work?: (em: ScopedEntityManager) => Promise<unknown>,
): Promise<void> {
  await inTurn(em, async inner => {
    const decision = await lockDecision(inner, id)
    if (decision.status === 'REQUIRES_APPROVAL' && (await approvalOf(inner, decision)).status === 'PENDING')
      throw new ApprovalNeededError(id)
    if (decision.status !== 'EXECUTED') decision.reject()
    await decide(inner, { type: decision.type, subject, outcome, rationale, overrides: decision.eventId }, async working => {
      if (undo) await revert(working, decision.eventId)
      await work?.(working)
    })
  })
}

/** Rejects what nobody approved in time or somebody refused by its approval item, some at a time; how many there were. */
export async function rejectUnapproved(em: ScopedEntityManager): Promise<number> {
  const left: AgentDecision[] = []
  // One after the other, because for both at once the planner reads all approvals.
  for (const status of refusals)
    left.push(...(await em.find(AgentDecision, { status: 'REQUIRES_APPROVAL', approval: { status } }, { limit: 500 })))
  for (const decision of left) decision.reject()
  return left.length
}

const refusals = ['EXPIRED', 'REJECTED'] as const

const isRefused = ({ status }: ApprovalItem): boolean => refusals.some(refusal => refusal === status)

/** The decision that an approval item lets through, if it is an agent's: whoever settles that one settles the item too. */
export function decisionBehind(em: ScopedEntityManager, { decisionId }: ApprovalItem): Promise<AgentDecision | null> {
  return em.findOne(AgentDecision, { eventId: decisionId })
}

async function requireApproved(em: ScopedEntityManager, decision: AgentDecision): Promise<void> {
  if (decision.status !== 'REQUIRES_APPROVAL') return
  const approval = await approvalOf(em, decision)
  if (approval.status === 'PENDING') throw new ApprovalNeededError(decision.id)
  if (isRefused(approval)) throw new ApprovalStateError(approval.status, 'APPROVED')
}

/** A tool that fails leaves nothing behind but the reason. What becomes of the decision itself is nothing that was done because of it. */
async function failureOf(em: ScopedEntityManager, decision: AgentDecision, tools: Tools): Promise<string | undefined> {
  decision.requireOpen()
  await requireAble(em, decision)
  const steps = decision.actions.map(({ tool, parameters }) => ({ use: toolNamed(tools, tool), parameters }))
  try {
    await wholly(em, async inner => {
      for (const { use, parameters } of steps) await use(inner, parameters, decision)
    })
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

function conclude(decision: AgentDecision, failure: string | undefined, at: Date): void {
  if (failure === undefined) decision.execute(at)
  else decision.fail(failure)
}

/** Agents are switched off and lose tools in order to stop them, and what they have decided before is still them. */
async function requireAble(em: ScopedEntityManager, { agent: { id }, actions }: AgentDecision): Promise<void> {
  const agent = await em.findOneOrFail(OrchestrationAgent, id, { refresh: true })
  if (!agent.isActive) throw new AgentInactiveError(agent.name)
  agent.requireTools(actions.map(({ tool }) => tool))
}

function toolNamed(tools: Tools, name: string): Tool {
  const tool = Object.hasOwn(tools, name) ? tools[name] : undefined
  if (!tool) throw new ToolUnknownError(name)
  return tool
}

/** Two that carry out the same decision take turns, and the second finds it done. */
function lockDecision(em: ScopedEntityManager, id: string): Promise<AgentDecision> {
  return lockedAfresh(em, AgentDecision, id)
}

async function approvalOf(em: ScopedEntityManager, { id, approval }: AgentDecision): Promise<ApprovalItem> {
  if (!approval) throw new NoApprovalNeededError(id)
  return em.findOneOrFail(ApprovalItem, approval.id, { refresh: true })
}
