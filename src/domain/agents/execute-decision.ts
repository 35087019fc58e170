import { because, decide } from '../../audit/index.ts'
import { now } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/error.ts'
import { inTurn, lockedAfresh, type ScopedEntityManager, type TenantRow, wholly } from '../../orm/index.ts'
import { ApprovalItem, approve, rejectApproval, type Verdict } from '../work/index.ts'
import { type AgentAction, AgentDecision } from './agent-decision.entity.ts'
import { ApprovalNeededError, NoApprovalNeededError, ToolUnknownError } from './agents.errors.ts'

/** What an agent's tools do, by name. */
export type Tools = Readonly<Record<string, Tool>>
export type Tool = (em: ScopedEntityManager, parameters: AgentAction['parameters'], decision: AgentDecision) => Promise<unknown>

/**
 * Carries a decision out: all of its actions or none. What they change points back to the decision in the log. Where one fails, the decision
 * says so and may be tried again.
 */
export function executeDecision(em: ScopedEntityManager, { id }: AgentDecision, tools: Tools, at: Date = now()): Promise<AgentDecision> {
  return inTurn(em, async inner => {
    const decision = await lockDecision(inner, id)
    if (decision.status === 'REQUIRES_APPROVAL') throw new ApprovalNeededError(id)
    await because(inner, { decision: decision.eventId }, () => carryOut(inner, decision, tools, at))
    return decision
  })
}

/** Approves what waits, and carries it out in the same transaction. */
export function approveDecision(em: ScopedEntityManager, { id }: AgentDecision, verdict: Verdict, tools: Tools): Promise<AgentDecision> {
  return inTurn(em, async inner => {
    const decision = await lockDecision(inner, id)
    const approval = await approvalOf(inner, decision)
    await approve(inner, approval, verdict, working => carryOut(working, decision, tools, verdict.at ?? now()))
    return decision
  })
}

export function rejectDecision(em: ScopedEntityManager, { id }: AgentDecision, verdict: Verdict): Promise<AgentDecision> {
  return inTurn(em, async inner => {
    const decision = await lockDecision(inner, id)
    await rejectApproval(inner, await approvalOf(inner, decision), verdict)
    decision.reject()
    return decision
  })
}

export interface Override {
  readonly subject: TenantRow
  readonly outcome: unknown
  readonly rationale: string
}

/**
 * Somebody decides otherwise: a decision of its own, which says what it takes the place of. `work` makes it so. What has not been carried out by
 * then never will be; what waits for approval is rejected and not overridden, so that whoever was asked gets to know.
 */
export async function overrideDecision(
  em: ScopedEntityManager,
  { id }: AgentDecision,
  { subject, outcome, rationale }: Override,
  work?: (em: ScopedEntityManager) => Promise<unknown>,
): Promise<void> {
  await inTurn(em, async inner => {
    const decision = await lockDecision(inner, id)
    if (decision.status === 'REQUIRES_APPROVAL') throw new ApprovalNeededError(id)
    if (decision.status !== 'EXECUTED') decision.reject()
    await decide(inner, { type: decision.type, subject, outcome, rationale, overrides: decision.eventId }, work)
  })
}

/** Rejects what nobody approved in time, some at a time; how many there were. */
export async function rejectUnapproved(em: ScopedEntityManager): Promise<number> {
  const left = await em.find(AgentDecision, unapproved, { limit: 500 })
  for (const decision of left) decision.reject()
  return left.length
}

const unapproved = { status: 'REQUIRES_APPROVAL', approval: { status: 'EXPIRED' } } as const

/** A tool that fails leaves nothing behind but the reason. */
async function carryOut(em: ScopedEntityManager, decision: AgentDecision, tools: Tools, at: Date): Promise<void> {
  decision.requireOpen()
  const steps = decision.actions.map(({ tool, parameters }) => ({ use: toolNamed(tools, tool), parameters }))
  try {
    await wholly(em, async inner => {
      for (const { use, parameters } of steps) await use(inner, parameters, decision)
    })
    decision.execute(at)
  } catch (error) {
    decision.fail(messageOf(error))
  }
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
  return em.findOneOrFail(ApprovalItem, approval.id)
}
