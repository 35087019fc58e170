import { type AuditEvent, exactJson, type Marked } from '../audit/index.ts'
import type { ScopedEntityManager } from '../orm/index.ts'
import { openerFor, openSide, personalNames } from './opened.ts'

/** An event as a follower gets it: like `AuditEvent`, without being managed, and its documents are read when they are asked for. */
export class FollowedEvent {
  readonly #before: string | null
  readonly #after: string | null
  declare readonly seq: number
  declare readonly id: string
  declare readonly recordedAt: Date
  declare readonly tenantId: string
  declare readonly kind: AuditEvent['kind']
  declare readonly type: string
  declare readonly entity: string | null
  declare readonly entityId: string | null
  declare readonly entityVersion: number | null
  declare readonly schemaVersion: number
  declare readonly source: AuditEvent['source']
  declare readonly actorType: string
  declare readonly actorId: string
  declare readonly requestId: string | null
  declare readonly correlationId: string | null
  declare readonly causationId: string | null
  declare readonly decisionId: string | null
  declare readonly reason: string | null
  declare readonly changed: string[] | null

  readonly #open: ((side: Record<string, unknown>) => void) | undefined

  constructor({ seq, recordedAt, before, after, ...rest }: EventRow, open?: (side: Record<string, unknown>) => void) {
    Object.assign(this, rest)
    this.seq = Number(seq)
    this.recordedAt = new Date(recordedAt)
    this.#before = before
    this.#after = after
    this.#open = open
  }

  get before(): Record<string, unknown> | null {
    return this.#read(this.#before)
  }

  get after(): Record<string, unknown> | null {
    return this.#read(this.#after)
  }

  #read(text: string | null): Record<string, unknown> | null {
    const side = exactJson(text)
    if (side) this.#open?.(side)
    return side
  }
}

interface EventRow {
  readonly tenantId: string
  readonly entity: string | null
  readonly seq: string
  readonly recordedAt: string
  readonly before: string | null
  readonly after: string | null
}

/** The events of a window, in order, as fast as the driver reads. */
export async function eventsBetween(em: ScopedEntityManager, position: number, end: number, limit: number): Promise<FollowedEvent[]> {
  const scope = em.boundScope
  const log = scope?.kind === 'tenant' ? `and tenant_id = '${scope.tenantId}'` : ''
  const rows = await em.execute<EventRow[]>(
    `select seq::text as seq, id, recorded_at as "recordedAt", tenant_id as "tenantId", kind, type, entity, entity_id as "entityId",
       entity_version as "entityVersion", schema_version as "schemaVersion", source, actor_type as "actorType", actor_id as "actorId",
       request_id as "requestId", correlation_id as "correlationId", causation_id as "causationId", decision_id as "decisionId", reason,
       changed, before::text, after::text
     from audit_event where seq > ${position} and seq <= ${end} ${log} order by audit_event.seq limit ${limit}`,
  )
  const names = personalNames(em.getMetadata())
  const telling = rows.filter(({ entity }) => entity && names.has(entity))
  if (telling.length === 0) return rows.map(row => new FollowedEvent(row))
  const opener = openerFor(em)
  await opener.prepare(telling.flatMap(({ tenantId, before, after }) => marksInText(tenantId, `${before} ${after}`)))
  return rows.map(row => {
    const marked = row.entity && names.get(row.entity)
    return new FollowedEvent(row, marked ? side => openSide(row.tenantId, side, marked, opener) : undefined)
  })
}

/** Perhaps more than columns hold that tell of a person: what is fetched too much is opened nowhere. */
function marksInText(log: string, text: string): Marked[] {
  return [...text.matchAll(/"(daybook:(?:sealed|personal):[^"]+)"/g)].map(([, mark]) => ({ log, mark: mark! }))
}
