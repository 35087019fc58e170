import type { EntityMetadata } from '@mikro-orm/core'
import { type AuditEvent, auditedTableOf } from '../audit/index.ts'
import { privateColumnOf, Row, type ScopedEntityManager } from '../orm/index.ts'
import type { Condition } from './event-rows.ts'
import { readEvents } from './read-events.ts'
import { requireId, requirePosition } from './questions.ts'
import { NotAuditedError } from './readers.errors.ts'
import { changesIn, type PropertyChange } from './told-changes.ts'

/** An entity, or its class and id when it is gone. */
export type Subject = Row | readonly [type: new () => Row, id: string]

/** One event of an entity's life, with what changed in the entity's own words. */
export interface HistoryEntry {
  readonly event: AuditEvent
  readonly changes: readonly PropertyChange[]
}

export interface HistoryOptions {
  /** The newest so many. */
  readonly limit?: number
  /** Only what came before this position. */
  readonly beforeSeq?: number
}

/** Everything that happened to an entity, the first event first: rows, relations and decisions about it. */
export async function history(em: ScopedEntityManager, subject: Subject, options: HistoryOptions = {}): Promise<HistoryEntry[]> {
  const { meta, id } = subjectOf(em, subject)
  const [limit, beforeSeq] = [requirePosition('limit', options.limit), requirePosition('beforeSeq', options.beforeSeq)]
  const before: Condition[] = beforeSeq === undefined ? [] : [['seq < ?', beforeSeq]]
  const events = await readEvents(em, [...eventsOf(em, meta, id), ...before], { newestFirst: true, limit })
  return events.toReversed().map(event => ({ event, changes: changesIn(event, meta) }))
}

/**
 * In a tenant's scope the log is named, so that the index answers. What is private to somebody else has no past either; whose it is stands in
 * each event that tells of the whole row, and never changes.
 */
export function eventsOf(em: ScopedEntityManager, meta: EntityMetadata, id: string): readonly Condition[] {
  const scope = em.boundScope
  const { entity, logColumn } = auditedTableOf(meta)!
  const tenant = scope?.kind === 'tenant' ? scope : undefined
  const own: Condition[] = tenant && logColumn === 'tenant_id' ? [['tenant_id = ?', tenant.tenantId]] : []
  const owner = privateColumnOf(meta)
  const theirs: Condition[] = owner !== undefined && tenant?.actor.type === 'user' ? [[ownedBy, owner, tenant.actor.id]] : []
  return [...own, ['entity_id = ?', id], ['entity = ?', entity], ...theirs]
}

const ownedBy = `exists (select from audit_event whole where whole.tenant_id = audit_event.tenant_id and whole.entity_id = audit_event.entity_id
  and whole.entity = audit_event.entity and whole.type in (whole.entity || '.created', whole.entity || '.deleted') and coalesce(whole.after, whole.before)->>? = ?)`

export function subjectOf(em: ScopedEntityManager, subject: Subject): { meta: EntityMetadata; id: string; type: new () => Row } {
  const [type, id] = subject instanceof Row ? [subject.constructor as new () => Row, subject.id] : subject
  const meta = em.getMetadata().find(type)
  if (!meta || !auditedTableOf(meta)) throw new NotAuditedError(type.name)
  return { meta, id: requireId('id', id), type }
}
