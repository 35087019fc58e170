import { type TSchema, Type } from 'typebox'
import { AuditEvent } from '../../audit/index.ts'
import { diff, history, type HistoryEntry, type PropertyChange, revert, why } from '../../readers/index.ts'
import { exactly, nullable } from '../fields.ts'
import { ResourceNotFoundError } from '../http.errors.ts'
import type { Work } from '../in-tenant.ts'
import type { Field } from './fields.ts'
import type { Described } from './resource.ts'

const text = Type.String()
const optionalText = nullable(text)
const actorAnswer = exactly({ type: text, id: text })
const changeAnswer = exactly({ property: text, before: Type.Optional(Type.Unknown()), after: Type.Optional(Type.Unknown()) })

const eventFields = {
  id: text,
  seq: Type.Integer(),
  type: text,
  recordedAt: Type.String({ format: 'date-time' }),
  source: text,
  actor: actorAnswer,
  requestId: optionalText,
  correlationId: optionalText,
  causationId: optionalText,
  decisionId: optionalText,
  reason: optionalText,
}
export const historyEntryAnswer = exactly({ ...eventFields, changes: Type.Array(changeAnswer) })
export const historyAnswer = exactly({ items: Type.Array(historyEntryAnswer), next: nullable(Type.Integer()) })
export const diffAnswer = exactly({ changes: Type.Array(changeAnswer) })
const decisionAnswer = exactly({ id: text, type: text, actor: actorAnswer, recordedAt: text, told: Type.Unknown() })
export const whyAnswer: TSchema = exactly({
  change: historyEntryAnswer,
  decision: nullable(decisionAnswer),
  approval: nullable(decisionAnswer),
  overrides: Type.Array(decisionAnswer),
})

export function eventView({ id, seq, type, recordedAt, source, actorType, actorId, ...event }: AuditEvent) {
  const { requestId = null, correlationId = null, causationId = null, decisionId = null, reason = null } = event
  const actor = { type: actorType, id: actorId }
  return { id, seq, type, recordedAt: recordedAt.toISOString(), source, actor, requestId, correlationId, causationId, decisionId, reason }
}

/** Nobody learns from the past what they may not see in the present. */
function visible(changes: readonly PropertyChange[], fields: readonly Field[]): PropertyChange[] {
  const names = new Set(fields.map(({ name }) => name))
  return changes.filter(({ property }) => names.has(property.split('.', 1)[0]!))
}

function entryView({ event, changes }: HistoryEntry, fields: readonly Field[]) {
  return { ...eventView(event), changes: visible(changes, fields) }
}

/** The newest first, as everybody reads it; `before` goes on behind the last. */
export async function historyOf(
  { em }: Work,
  resource: Described,
  id: string,
  { fields, limit = 50, before }: { fields: readonly Field[]; limit?: number; before?: number },
) {
  const entries = await history(em, [resource.entity, id.toLowerCase()], {
    limit: limit + 1,
    ...(before !== undefined && { beforeSeq: before }),
  })
  if (entries.length === 0 && before === undefined) throw new ResourceNotFoundError(resource.name)
  const newest = entries.toReversed()
  const items = newest.slice(0, limit).map(entry => entryView(entry, fields))
  return { items, next: newest.length > limit ? items.at(-1)!.seq : null }
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

export async function whyOf({ em }: Work, resource: Described, id: string, fields: readonly Field[], property: string) {
  const reasons = await why(em, [resource.entity, id.toLowerCase()], property)
  if (!reasons || visible([{ property }], fields).length === 0) throw new ResourceNotFoundError('value with a history')
  const { change, decision, approval, overrides } = reasons
  return {
    change: entryView(change, fields),
    decision: decision ? decisionView(decision) : null,
    approval: approval ? decisionView(approval) : null,
    overrides: overrides.map(decisionView),
  }
}

export function decisionView(event: AuditEvent) {
  const { id, type, actorType, actorId, recordedAt, after } = event
  return { id, type, actor: { type: actorType, id: actorId }, recordedAt: recordedAt.toISOString(), told: after ?? null }
}

/** An event of another thing is none of this one's. */
export async function revertIn({ em }: Work, resource: Described, id: string, event: string, force: boolean): Promise<void> {
  const found = await em.findOne(AuditEvent, { id: event.toLowerCase() }, { disableIdentityMap: true })
  if (found?.entityId !== id.toLowerCase() || found.entity !== resource.name) throw new ResourceNotFoundError('event')
  await revert(em, found, { force })
  await em.flush()
}
