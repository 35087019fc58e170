import { canonicalJson } from '../kernel/canonical-json.ts'
import { newId } from '../kernel/id.ts'
import { digest } from '../kernel/secret.ts'
import type { Row } from '../orm/index.ts'
import { type ScopedEntityManager, unsentOf } from '../orm/index.ts'
import type { EventDraft } from './append-events.ts'
import { DecisionLog } from './audit-event.entity.ts'
import { DecisionSettledError, DecisionUnknownError, OwnDecisionError, SubjectUnknownError } from './audit.errors.ts'
import { auditedTableOf } from './audited-table.ts'
import { decisionWords } from './personal.ts'
import { personBehind, sealsIn } from './seals.ts'
import { because, bufferOf, inTransaction } from './story.ts'

/** What somebody decided about something, with what a reviewer will want to know a year later. */
export interface DecisionInput {
  /** What kind of decision: `task.assignment`, `prospect.score`. */
  readonly type: string
  /** What it is about. */
  readonly subject: Row
  readonly outcome: unknown
  readonly rationale: string
  /** From 0 to 1. */
  readonly confidence?: number
  /** The model that decided, with its version: `claude-x 2026-05`. */
  readonly model?: string
  readonly alternatives?: readonly unknown[]
  /** What it was decided from, as it was given, or only its digest (`byDigest`). */
  readonly inputs?: unknown
  /** An earlier decision that no longer stands. */
  readonly overrides?: string | { readonly id: string }
  /** It waits until somebody else has approved it, and its work is done by them. */
  readonly needsApproval?: boolean
}

export interface Decision {
  readonly id: string
  readonly isPending: boolean
}

/**
 * Records a decision. The changes that `work` makes carry its id, so `why` finds the way back from a value. Without a transaction at hand it
 * takes one of its own, so that the decision and what it changed are there together or not at all. What is decided about a row that tells of
 * somebody tells of them too, and stands in the log under the same key.
 */
export function decide(
  em: ScopedEntityManager,
  input: DecisionInput,
  work?: (em: ScopedEntityManager) => Promise<unknown>,
): Promise<Decision> {
  const isPending = input.needsApproval ?? false
  if (isPending && work)
    throw new TypeError('A decision that needs approval has no work yet: give it to settle(), which does it once approved.')
  return inTransaction(em, async inner => {
    await inner.flush()
    const id = newId()
    const overridden = idIn(input.overrides)
    if (overridden) await decisionOf(inner, overridden)
    await append(inner, { ...(await draftOf(inner, input, id)), ...(overridden && { causation: overridden }) })
    if (work) await because(inner, { decision: id }, () => work(inner))
    return { id, isPending }
  })
}

export interface Settlement {
  readonly approved: boolean
  readonly rationale: string
}

/**
 * Approves or rejects a decision that waits, which is a decision itself and points back. Whoever made a decision can't settle it. The work of
 * an approved one is done here, and carries the id of the decision that it carries out.
 */
export function settle(
  em: ScopedEntityManager,
  decision: string | { readonly id: string },
  { approved, rationale }: Settlement,
  work?: (em: ScopedEntityManager) => Promise<unknown>,
): Promise<Decision> {
  return inTransaction(em, async inner => {
    await inner.flush()
    const proposal = await decisionOf(inner, idIn(decision)!)
    await takeTurns(inner, [proposal.id])
    const { actor } = inner.boundScope!
    if (proposal.actorType === actor.type && proposal.actorId === actor.id) throw new OwnDecisionError(proposal.id)
    const settled = await inner.findOne(DecisionLog, { causationId: proposal.id, type: { $in: endings } })
    if (proposal.type !== 'decision.proposed' || settled) throw new DecisionSettledError(proposal.id, settled?.type ?? proposal.type)
    const id = newId()
    const told = await toldOf(inner, { rationale }, { log: proposal.tenantId, person: personIn(proposal) })
    await append(inner, endingOf(proposal, { id, type: approved ? 'decision.approved' : 'decision.rejected', told }))
    if (approved && work) await because(inner, { decision: proposal.id }, () => work(inner))
    return { id, isPending: false }
  })
}

/**
 * Nobody has settled these in time, so they don't wait any more. That is nobody's decision, and whoever proposed one may be the one who says so;
 * one that was settled meanwhile stays as it is.
 */
export async function lapse(em: ScopedEntityManager, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await inTransaction(em, async inner => {
    await inner.flush()
    await takeTurns(inner, ids)
    const settled = await inner.find(DecisionLog, { causationId: { $in: [...ids] }, type: { $in: endings } })
    const over = new Set(settled.map(({ causationId }) => causationId))
    const proposals = await inner.find(DecisionLog, { id: { $in: [...ids] }, type: 'decision.proposed' })
    for (const proposal of proposals.filter(({ id }) => !over.has(id)))
      await append(inner, endingOf(proposal, { id: newId(), type: 'decision.expired', told: '{}' }))
  })
}

/** Stands for inputs that are too large or too private to keep: their digest proves later what they were. */
export function byDigest(inputs: unknown): { readonly sha256: string } {
  return { sha256: digest(canonicalJson(inputs)) }
}

/** What ends the waiting of one that was proposed. */
export const endings: readonly string[] = ['decision.approved', 'decision.rejected', 'decision.expired']

interface Ending {
  readonly id: string
  readonly type: string
  /** JSON text. */
  readonly told: string
}

function endingOf(proposal: DecisionLog, { id, type, told }: Ending): EventDraft {
  return {
    log: proposal.tenantId,
    kind: 'decision',
    type,
    id,
    decision: proposal.id,
    causation: proposal.id,
    ...(proposal.entity && { entity: proposal.entity, entityId: proposal.entityId! }),
    after: told,
  }
}

/** Two who settle the same decision take turns, and the second finds it settled; many are locked in the order of their ids. */
async function takeTurns(em: ScopedEntityManager, ids: readonly string[]): Promise<void> {
  await em.execute(
    `select pg_advisory_xact_lock(hashtextextended('daybook decision ' || id, 0)) from jsonb_array_elements_text(?::jsonb) id`,
    [JSON.stringify(ids.toSorted())],
  )
}

async function append(em: ScopedEntityManager, draft: EventDraft): Promise<void> {
  const unsent = await unsentOf(em.getTransactionContext<object>()!)
  bufferOf(unsent).add(draft)
}

async function decisionOf(em: ScopedEntityManager, id: string): Promise<DecisionLog> {
  const found = await em.findOne(DecisionLog, { id })
  if (!found) throw new DecisionUnknownError(id)
  return found
}

async function draftOf(em: ScopedEntityManager, input: DecisionInput, id: string): Promise<EventDraft> {
  const { subject, needsApproval, overrides } = input
  const meta = em.getMetadata().find(subject.constructor as never)
  const table = meta && auditedTableOf(meta)
  // A reference that isn't loaded doesn't know.
  const log = (subject as { tenantId?: string }).tenantId ?? (em.boundScope?.kind === 'tenant' ? em.boundScope.tenantId : undefined)
  if (!table || !log) throw new SubjectUnknownError(subject.constructor.name)
  const { type, outcome, rationale, confidence, model, alternatives, inputs } = input
  const told = { type, outcome, rationale, confidence, model, alternatives, inputs }
  return {
    log,
    kind: 'decision',
    type: overrides ? 'decision.overrode' : needsApproval ? 'decision.proposed' : 'decision.made',
    id,
    decision: id,
    entity: table.entity,
    entityId: subject.id,
    after: await toldOf(em, told, { log, person: await personBehind(em, subject) }),
  }
}

/** What a decision says, as JSON text. Where it is about somebody it says about whom, and in words that only their key opens. */
async function toldOf(em: ScopedEntityManager, told: object, { log, person }: { log: string; person: string | null }): Promise<string> {
  if (!person) return JSON.stringify(told)
  const seal = (await sealsIn(em, [{ log, person }]))({ log, person })
  const members = Object.entries({ ...told, person }).flatMap(([name, value]) => {
    const text = JSON.stringify(value) as string | undefined
    return text === undefined ? [] : [`${JSON.stringify(name)}:${decisionWords.includes(name) ? seal(text) : text}`]
  })
  return `{${members.join(',')}}`
}

const personIn = ({ after }: DecisionLog): string | null => (typeof after?.person === 'string' ? after.person : null)

function idIn(decision: string | { readonly id: string } | undefined): string | undefined {
  return typeof decision === 'string' ? decision : decision?.id
}
