import { type TSchema, Type } from 'typebox'
import { AuditEvent, type DecisionLog } from '../../audit/index.ts'
import { diff, history, type HistoryEntry, type PropertyChange, revert, why } from '../../readers/index.ts'
import { PermissionDeniedError } from '../../domain/access/index.ts'
import { sensitive } from '../../domain/access/internal.ts'
import { currentTenantSql, type ScopedEntityManager } from '../../orm/index.ts'
import { decisionAnswer, decisionView as viewOfDecision, happeningFields, happeningView } from '../event-view.ts'
import { exactly, nullable } from '../fields.ts'
import { ResourceNotFoundError } from '../http.errors.ts'
import type { Work } from '../in-tenant.ts'
import type { Field } from './fields.ts'
import { requireReaderOfLog } from './listening.ts'
import type { Known } from './read.ts'
import type { Described } from './resource.ts'

const changeAnswer = exactly({ property: Type.String(), before: Type.Optional(Type.Unknown()), after: Type.Optional(Type.Unknown()) })

export const historyEntryAnswer = exactly({ ...happeningFields, changes: Type.Array(changeAnswer) })
export const historyAnswer = exactly({ items: Type.Array(historyEntryAnswer), next: nullable(Type.String()) })
export const diffAnswer = exactly({ changes: Type.Array(changeAnswer) })
/** Whoever may not read decisions learns that there was one. */
const decisionOrTrace = Type.Union([decisionAnswer, exactly({ id: Type.String(), recordedAt: Type.String() })])
export const whyAnswer: TSchema = exactly({
  change: historyEntryAnswer,
  decision: nullable(decisionOrTrace),
  approval: nullable(decisionOrTrace),
  overrides: Type.Array(decisionOrTrace),
})

/** Nobody learns from the past what they may not see in the present. */
function visible(changes: readonly PropertyChange[], fields: readonly Field[]): PropertyChange[] {
  const names = new Set(fields.map(({ name }) => name))
  return changes.filter(({ property }) => names.has(property.split('.', 1)[0]!))
}

function entryView({ event, changes }: HistoryEntry, fields: readonly Field[]) {
  return { ...happeningView(event), changes: visible(changes, fields) }
}

/** The newest first, as everybody reads it; `before` goes on behind the last. */
export async function historyOf(
  { em }: Work,
  resource: Described,
  id: string,
  { fields, limit = 50, before }: { fields: readonly Field[]; limit?: number; before?: string },
) {
  const behind = before === undefined ? undefined : await eventOf(em, resource, id, before)
  const entries = await history(em, [resource.entity, id.toLowerCase()], { limit: limit + 1, ...(behind && { beforeSeq: behind.seq }) })
  if (entries.length === 0 && before === undefined) throw new ResourceNotFoundError(resource.name)
  const newest = entries.toReversed()
  const items = newest.slice(0, limit).map(entry => entryView(entry, fields))
  return { items, next: newest.length > limit ? items.at(-1)!.id : null }
}

export async function diffOf({ em }: Work, resource: Described, id: string, fields: readonly Field[], from: string, to: string) {
  const subject = [resource.entity, id.toLowerCase()] as const
  if ((await history(em, subject, { limit: 1 })).length === 0) throw new ResourceNotFoundError(resource.name)
  const changes = await diff(em, subject, momentIn(from), momentIn(to))
  return { changes: visible(changes, fields) }
}

/** An instant, or an event's id for the moment right after it. */
function momentIn(moment: string): Date | { readonly id: string } {
  return moment.includes('T') ? new Date(moment) : { id: moment.toLowerCase() }
}

export async function whyOf({ em, may }: Work, resource: Described, id: string, fields: readonly Field[], property: string) {
  const reasons = await why(em, [resource.entity, id.toLowerCase()], property)
  if (!reasons || visible([{ property }], fields).length === 0) throw new ResourceNotFoundError('value with a history')
  const { change, decision, approval, overrides } = reasons
  const decisionView = await decisionViewFor(may)
  return {
    change: entryView(change, fields),
    decision: decision ? decisionView(decision) : null,
    approval: approval ? decisionView(approval) : null,
    overrides: overrides.map(decisionView),
  }
}

/** A value is one thing, and what was decided about it another: that has permissions of its own. */
async function decisionViewFor(may: Work['may']) {
  const readsLog = await may('audit-event:read')
  const seesInputs = readsLog || (await may('agent-decision:approve'))
  const reads = seesInputs || (await may('agent-decision:read'))
  return (log: DecisionLog) => {
    const { id, recordedAt, ...view } = viewOfDecision(log)
    if (!reads) return { id, recordedAt }
    return seesInputs ? { id, recordedAt, ...view } : withoutInputs({ id, recordedAt, ...view })
  }
}

/** What a decision was made from may be more than whoever sees the value may see. */
function withoutInputs({ told, ...view }: ReturnType<typeof viewOfDecision>) {
  const rest = Object.entries(told ?? {}).filter(([name]) => name !== 'inputs')
  return { ...view, told: told && Object.fromEntries(rest) }
}

export async function revertIn(
  work: Work,
  resource: Described,
  id: string,
  { event, force, known }: { event: string; force: boolean; known: Known },
): Promise<void> {
  const found = await eventOf(work.em, resource, id, event)
  if (found.kind === 'decision') await requireAllOf(work, known, found)
  await revert(work.em, found, { force })
  await work.em.flush()
}

/** A decision stands for all that was done because of it, so taking it back needs what taking back each of that by itself would. */
export async function requireAllOf({ em, may }: Work, known: Known, decision: { readonly id: string }): Promise<void> {
  const effects = await em.execute<{ entity: string }[]>(
    `select distinct done.entity from audit_event decided join audit_event done on done.decision_id = decided.decision_id and done.tenant_id = decided.tenant_id
      where decided.id = ? and decided.tenant_id = ${currentTenantSql} and done.kind = 'activity'`,
    [decision.id],
  )
  for (const { entity } of effects) {
    // Who may do what is given and taken by rules that looking at kinds of rows can't keep; whoever has everything needn't keep them.
    const permission = sensitive.includes(entity) ? 'organization:manage' : `${entity}:manage`
    if (!(await may(permission))) throw new PermissionDeniedError(permission, 'what was done because of the decision would be taken back')
    if ([...known.values()].some(({ name, options }) => name === entity && options.listens)) await requireReaderOfLog({ may })
  }
}

/** An event of another thing is none of this one's. */
async function eventOf(em: ScopedEntityManager, resource: Described, id: string, event: string): Promise<AuditEvent> {
  const found = await em.findOne(AuditEvent, { id: event.toLowerCase() }, { disableIdentityMap: true })
  if (found?.entityId !== id.toLowerCase() || found.entity !== resource.name) throw new ResourceNotFoundError('event')
  return found
}
