import { type AuditEvent, auditedTableOf, type EventKind, type EventSource } from '../audit/index.ts'
import { canonicalJson } from '../kernel/canonical-json.ts'
import { digest } from '../kernel/secret.ts'
import type { Row, ScopedEntityManager } from '../orm/index.ts'
import { changedSql, type Condition } from './event-rows.ts'
import { readEvents } from './read-events.ts'
import { CursorInvalidError, NotAuditedError } from './readers.errors.ts'
import { columnOf } from './told-changes.ts'

export interface FeedFilter {
  readonly actor?: { readonly type?: string; readonly id: string }
  readonly entity?: new () => Row
  /** Instead of `entity`, by its name in the log: `task`. */
  readonly entityName?: string
  readonly entityId?: string
  /** A property of `entity`; a path into a document counts as the document too. */
  readonly property?: string
  readonly kind?: EventKind
  readonly type?: string
  readonly source?: EventSource
  readonly since?: Date
  readonly until?: Date
  readonly correlationId?: string
  readonly requestId?: string
  readonly decisionId?: string
}

export interface FeedPage {
  readonly items: AuditEvent[]
  /** Continues where this page ends; undefined at the end. */
  readonly cursor?: string
}

/** The newest events first, a page at a time. A page is found by position, so what is written meanwhile moves nothing. */
export async function feed(
  em: ScopedEntityManager,
  filter: FeedFilter = {},
  page: { readonly limit?: number; readonly cursor?: string; readonly beforeSeq?: number } = {},
): Promise<FeedPage> {
  const limit = Math.min(Math.max(page.limit ?? 50, 1), 1_000)
  const fingerprint = fingerprintOf(filter)
  const before = page.cursor === undefined ? page.beforeSeq : positionIn(page.cursor, fingerprint)
  const where = [...conditionsOf(em, filter), ...given('seq < ?', before)]
  const found = await readEvents(em, where, { newestFirst: true, limit: limit + 1 })
  const items = found.slice(0, limit)
  return { items, ...(found.length > limit && { cursor: cursorAt(items.at(-1)!.seq, fingerprint) }) }
}

function conditionsOf(em: ScopedEntityManager, filter: FeedFilter): readonly Condition[] {
  const { actor, entity, property } = filter
  const scope = em.boundScope
  const meta = entity && em.getMetadata().find(entity)
  const table = meta && auditedTableOf(meta)
  if (entity && !table) throw new NotAuditedError(entity.name)
  const column = property !== undefined && meta ? columnOf(property, meta) : property
  return [
    ...given('tenant_id = ?', scope?.kind === 'tenant' ? scope.tenantId : undefined),
    ...given('actor_id = ?', actor?.id),
    ...given('actor_type = ?', actor?.type || undefined),
    ...given('entity = ?', table?.entity ?? filter.entityName),
    ...given('entity_id = ?', filter.entityId),
    ...given('kind = ?', filter.kind),
    ...given('type = ?', filter.type),
    ...given('source = ?', filter.source),
    ...given('recorded_at >= ?', filter.since),
    ...given('recorded_at < ?', filter.until),
    ...given('correlation_id = ?', filter.correlationId),
    ...given('request_id = ?', filter.requestId),
    ...given('decision_id = ?', filter.decisionId),
    ...(column === undefined ? [] : [touching(column)]),
  ]
}

function given(sql: string, value: unknown): readonly Condition[] {
  return value === undefined ? [] : [[sql, value]]
}

/** A change of a document is told by its paths, and a creation by what it holds. */
function touching(column: string): Condition {
  const condition = `(exists (select from unnest(${changedSql}) as c where c = ? or starts_with(c, ?)) or (${changedSql} is null and coalesce(after, before)->>? is not null))`
  return [condition, column, `${column}.`, column]
}

/** A cursor belongs to its filter: with another one it would skip what nobody has seen. */
function fingerprintOf(filter: FeedFilter): string {
  return digest(canonicalJson({ ...filter, entity: filter.entity?.name })).slice(0, 12)
}

function cursorAt(seq: number, fingerprint: string): string {
  return Buffer.from(`${seq.toString(36)}.${fingerprint}`).toString('base64url')
}

function positionIn(cursor: string, fingerprint: string): number {
  const [position, of] = Buffer.from(cursor, 'base64url').toString().split('.')
  const seq = Number.parseInt(position ?? '', 36)
  if (!Number.isSafeInteger(seq) || of !== fingerprint) throw new CursorInvalidError()
  return seq
}
