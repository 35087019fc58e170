import { Type } from 'typebox'
import type { AuditEvent } from '../audit/index.ts'
import type { FollowedEvent } from '../readers/index.ts'
import { exactly, nullable } from './fields.ts'

const text = Type.String()
const optionalText = nullable(text)
const actorAnswer = exactly({ type: text, id: text })

/** Who, when and why; what happened comes with it in one way or another. Its number isn't told: it counts everybody's events. */
export const happeningFields = {
  id: text,
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

type Event = AuditEvent | FollowedEvent

export function happeningView({ id, type, recordedAt, source, actorType, actorId, ...event }: Event) {
  const { requestId = null, correlationId = null, causationId = null, decisionId = null, reason = null } = event
  const actor = { type: actorType, id: actorId }
  return { id, type, recordedAt: recordedAt.toISOString(), source, actor, requestId, correlationId, causationId, decisionId, reason }
}

export const eventAnswer = exactly({
  ...happeningFields,
  entity: optionalText,
  entityId: optionalText,
  entityVersion: nullable(Type.Integer()),
  changed: nullable(Type.Array(text)),
  before: Type.Unknown(),
  after: Type.Unknown(),
})

/** An event as the log has it, in the words of its columns. */
export function eventView(event: Event) {
  const { entity = null, entityId = null, entityVersion = null, changed = null } = event
  return { ...happeningView(event), entity, entityId, entityVersion, changed, before: event.before ?? null, after: event.after ?? null }
}

export const decisionAnswer = exactly({ id: text, type: text, actor: actorAnswer, recordedAt: text, told: Type.Unknown() })

export function decisionView({ id, type, actorType, actorId, recordedAt, after }: AuditEvent) {
  return { id, type, actor: { type: actorType, id: actorId }, recordedAt: recordedAt.toISOString(), told: after ?? null }
}
