import { type AuditEvent, auditedTableOf, type EventKind, type EventSource } from '../audit/index.ts'
import { canonicalJson } from '../kernel/canonical-json.ts'
import { digest } from '../kernel/secret.ts'
import type { Row, ScopedEntityManager } from '../orm/index.ts'
import type { Condition } from './event-rows.ts'
import { readEvents } from './read-events.ts'
import { requireId, requireMoment, requirePosition } from './questions.ts'
import { CursorInvalidError, NotAuditedError } from './readers.errors.ts'
import { touching } from './touching.ts'

export interface FeedFilter {
  /** All of a type, without an id. */
  readonly actor?: { readonly type?: string; readonly id?: string }
  readonly entity?: new () => Row
  /** Instead of `entity`, by its name in the log: `task`. */
  readonly entityName?: string
  readonly entityId?: string
  /** A property of `entity`. A path into a document counts as the document too, and the document as every path in it. */
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
  const limit = Math.min(Math.max(requirePosition('limit', page.limit) ?? 50, 1), 1_000)
  const fingerprint = fingerprintOf(filter)
  const before = page.cursor === undefined ? requirePosition('beforeSeq', page.beforeSeq) : positionIn(page.cursor, fingerprint)
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
  return [
    ...given('tenant_id = ?', scope?.kind === 'tenant' ? scope.tenantId : undefined),
    ...given('actor_id = ?', actor?.id),
    ...given('actor_type = ?', actor?.type || undefined),
    ...given('entity = ?', table?.entity ?? filter.entityName),
    ...given('entity_id = ?', requireId('entityId', filter.entityId)),
    ...given('kind = ?', filter.kind),
    ...given('type = ?', filter.type),
    ...given('source = ?', filter.source),
    ...given('recorded_at >= ?', requireMoment(filter.since)),
    ...given('recorded_at < ?', requireMoment(filter.until)),
    ...given('correlation_id = ?', filter.correlationId),
    ...given('request_id = ?', filter.requestId),
    ...given('decision_id = ?', requireId('decisionId', filter.decisionId)),
    ...(property === undefined ? [] : [touching(property, meta, 'all')]),
  ]
}

function given(sql: string, value: unknown): readonly Condition[] {
  return value === undefined ? [] : [[sql, value]]
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
