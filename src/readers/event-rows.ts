import type { AuditEvent } from '../audit/index.ts'
import type { ScopedEntityManager } from '../orm/index.ts'

/** A row of the log as it is read: documents are text, for whoever asks for one, and the driver's numbers and moments are too. */
export interface EventRow extends Readonly<Required<Omit<AuditEvent, 'seq' | 'recordedAt' | 'before' | 'after'>>> {
  readonly seq: string
  readonly recordedAt: string
  readonly before: string | null
  readonly after: string | null
}

/** A condition on the log's columns, with a question mark for each of its values. */
export type Condition = readonly [sql: string, ...values: unknown[]]

export interface RowsWanted {
  readonly newestFirst?: boolean
  readonly limit?: number | undefined
}

const columns = `id, seq::text as seq, recorded_at as "recordedAt", tenant_id as "tenantId", kind, type, entity, entity_id as "entityId",
  entity_version as "entityVersion", schema_version as "schemaVersion", source, actor_type as "actorType", actor_id as "actorId",
  request_id as "requestId", correlation_id as "correlationId", causation_id as "causationId", decision_id as "decisionId", reason,
  changed, before::text, after::text`

/** What an event changed, as `daybook_changed` says it: the log names only what the keys of `after` don't. */
export function changedIn(
  { changed, before }: Pick<EventRow, 'changed' | 'before'>,
  after: () => Record<string, unknown> | null,
): string[] | null {
  if (changed || before === null) return changed
  const became = after()
  return became && Object.keys(became)
}

/** The same as a condition's words. */
export const changedSql = 'daybook_changed(changed, before, after)'

/** The one way in which readers get events out of the log: as rows, in order. An entity of the ORM costs ten times what a row does. */
export function eventRows(
  em: ScopedEntityManager,
  where: readonly Condition[],
  { newestFirst, limit }: RowsWanted = {},
): Promise<EventRow[]> {
  const conditions = where.length > 0 ? `where ${where.map(([sql]) => sql).join(' and ')}` : ''
  // Named by its table: the column that is selected has the same name, and is text, of which '99' is the highest.
  const order = `order by audit_event.seq${newestFirst ? ' desc' : ''}${limit === undefined ? '' : ` limit ${limit}`}`
  return em.execute<EventRow[]>(
    `select ${columns} from audit_event ${conditions} ${order}`,
    where.flatMap(([, ...values]) => values),
  )
}
