import { type FilterQuery, raw } from '@mikro-orm/core'
import { AuditEvent, auditedTableOf, type EventKind, type EventSource } from '../audit/index.ts'
import { canonicalJson } from '../kernel/canonical-json.ts'
import { digest } from '../kernel/secret.ts'
import type { Row, ScopedEntityManager } from '../orm/index.ts'
import { openEvents } from './opened.ts'
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
  const where: FilterQuery<AuditEvent> = [conditionsOf(em, filter), ...(before === undefined ? [] : [{ seq: { $lt: before } }])].reduce(
    (all, one) => ({ $and: [all, one] }),
  )
  const found = await em.find(AuditEvent, where, { orderBy: { seq: 'desc' }, limit: limit + 1, disableIdentityMap: true })
  const items = [...(await openEvents(em, found.slice(0, limit)))]
  return { items, ...(found.length > limit && { cursor: cursorAt(items.at(-1)!.seq, fingerprint) }) }
}

function conditionsOf(em: ScopedEntityManager, filter: FeedFilter): FilterQuery<AuditEvent> {
  const { actor, entity, entityName, property, since, until, ...plain } = filter
  const scope = em.boundScope
  const meta = entity && em.getMetadata().find(entity)
  const table = meta && auditedTableOf(meta)
  if (entity && !table) throw new NotAuditedError(entity.name)
  const column = property !== undefined && meta ? columnOf(property, meta) : property
  const conditions: FilterQuery<AuditEvent>[] = [
    plain,
    ...(scope?.kind === 'tenant' ? [{ tenantId: scope.tenantId }] : []),
    ...(actor ? [{ actorId: actor.id, ...(actor.type && { actorType: actor.type }) }] : []),
    ...(table ? [{ entity: table.entity }] : entityName === undefined ? [] : [{ entity: entityName }]),
    ...(column === undefined ? [] : [touching(column)]),
    ...(since ? [{ recordedAt: { $gte: since } }] : []),
    ...(until ? [{ recordedAt: { $lt: until } }] : []),
  ]
  return { $and: conditions }
}

/** A change of a document is told by its paths, and a creation by what it holds. */
function touching(column: string): FilterQuery<AuditEvent> {
  const condition = `(exists (select from unnest(changed) as c where c = ? or starts_with(c, ?)) or (changed is null and coalesce(after, before)->>? is not null))`
  return { [raw(condition, [column, `${column}.`, column])]: true }
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
