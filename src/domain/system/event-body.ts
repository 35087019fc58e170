import type { AuditEvent } from '../../audit/index.ts'

/** An event as those outside are told of it, by webhooks and through brokers. */
export function eventBody({ id, type, recordedAt, entity, entityId, entityVersion, ...event }: AuditEvent) {
  const { actorType, actorId, requestId, changed, after } = event
  const data = { id, entity, entityId, entityVersion, changed, after, actor: { type: actorType, id: actorId }, requestId }
  return { type, timestamp: recordedAt.toISOString(), data }
}
