import { decide, lapse, OwnDecisionError, personBehind, settle } from '../../audit/index.ts'
import { now } from '../../kernel/clock.ts'
import { inTurn, lockedAfresh, type ScopedEntityManager, type TenantRow } from '../../orm/index.ts'
import { personActing } from '../access/internal.ts'
import { User } from '../identity/index.ts'
import { LockMode } from '@mikro-orm/core'
import { ApprovalItem } from './approval-item.entity.ts'

export interface ApprovalInput {
  /** What kind of decision waits: `task.refund`. */
  readonly type: string
  readonly subject: TenantRow
  /** The subject in the words of the log: `task`. */
  readonly subjectType: string
  readonly reason: string
  readonly payload?: Record<string, unknown>
  readonly confidence?: number
  readonly model?: string
  /** What it was decided from, and what else was thought of. */
  readonly inputs?: unknown
  readonly alternatives?: readonly unknown[]
  readonly expiresAt?: Date
}

/** Proposes something that somebody else has to approve before it is done. */
export function requestApproval(em: ScopedEntityManager, input: ApprovalInput): Promise<ApprovalItem> {
  const { type, subject, subjectType, reason, payload = {}, expiresAt, ...told } = input
  return em.transactional(async inner => {
    const { actor } = inner.boundScope!
    const { id } = await decide(inner, { type, subject, outcome: payload, rationale: reason, needsApproval: true, ...told })
    return inner.create(ApprovalItem, {
      subjectType,
      subjectId: subject.id,
      reason,
      payload,
      decisionId: id,
      personId: await personBehind(inner, subject),
      requestedByType: actor.type,
      requestedById: actor.id,
      confidence: told.confidence ?? null,
      expiresAt: expiresAt ?? null,
    })
  })
}

export interface Verdict {
  readonly rationale: string
  readonly at?: Date
}

/** Approves what waits, and does it: `work` is told in the log as that decision's doing. Nobody approves their own proposal. */
export function approve(
  em: ScopedEntityManager,
  item: ApprovalItem,
  { rationale, at = now() }: Verdict,
  work?: (em: ScopedEntityManager) => Promise<unknown>,
): Promise<void> {
  return conclude(em, item, 'APPROVED', at, rationale, work)
}

export function rejectApproval(em: ScopedEntityManager, item: ApprovalItem, { rationale, at = now() }: Verdict): Promise<void> {
  return conclude(em, item, 'REJECTED', at, rationale)
}

async function conclude(
  em: ScopedEntityManager,
  { id }: ApprovalItem,
  status: 'APPROVED' | 'REJECTED',
  at: Date,
  rationale: string,
  work?: (em: ScopedEntityManager) => Promise<unknown>,
): Promise<void> {
  await inTurn(em, async inner => {
    const item = await lockedAfresh(inner, ApprovalItem, id)
    const { actor } = inner.boundScope!
    await refuseOwn(inner, item)
    item.settle(status, at, actor.type === 'user' ? inner.getReference(User, actor.id, { wrapped: true }) : null)
    await settle(inner, item.decisionId, { approved: status === 'APPROVED', rationale }, work)
  })
}

/** A key of one's own is nobody else. */
async function refuseOwn(em: ScopedEntityManager, { decisionId, requestedByType: type, requestedById: id }: ApprovalItem): Promise<void> {
  const judge = await personActing(em, em.boundScope!.actor)
  if (judge && judge === (await personActing(em, { type, id }))) throw new OwnDecisionError(decisionId)
}

/** Closes what nobody decided about in time, some at a time; how many there were. Their decisions don't wait any more either. */
export async function expireApprovals(em: ScopedEntityManager, at: Date): Promise<number> {
  const due = await em.find(ApprovalItem, overdue(at), { limit: 500, lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE })
  for (const item of due) item.settle('EXPIRED', at)
  await lapse(
    em,
    due.map(({ decisionId }) => decisionId),
  )
  return due.length
}

export function countOverdueApprovals(em: ScopedEntityManager, at: Date, tenantId?: string): Promise<number> {
  return em.count(ApprovalItem, { ...overdue(at), ...(tenantId && { tenantId }) })
}

const overdue = (at: Date) => ({ status: 'PENDING' as const, expiresAt: { $lte: at } })
