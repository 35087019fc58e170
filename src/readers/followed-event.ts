import { type AuditEvent, exactJson, type Marked } from '../audit/index.ts'
import type { ScopedEntityManager } from '../orm/index.ts'
import { changedIn, type EventRow, eventRows } from './event-rows.ts'
import { openerFor, openSide, personalIn, personalNames } from './opened.ts'

type Values = Record<string, unknown>
type Open = (side: Values) => void

let afterAsStored: (event: FollowedEvent) => Values | null

/** An event as a follower gets it: like `AuditEvent`, but its documents are read when they are asked for. */
export class FollowedEvent {
  readonly seq: number
  readonly id: string
  readonly recordedAt: Date
  readonly tenantId: string
  readonly kind: AuditEvent['kind']
  readonly type: string
  readonly entity: string | null
  readonly entityId: string | null
  readonly entityVersion: number | null
  readonly schemaVersion: number
  readonly source: AuditEvent['source']
  readonly actorType: string
  readonly actorId: string
  readonly requestId: string | null
  readonly correlationId: string | null
  readonly causationId: string | null
  readonly decisionId: string | null
  readonly reason: string | null
  readonly #changed: string[] | null
  readonly #before: string | null
  readonly #after: string | null
  readonly #open: Open | undefined

  static {
    afterAsStored = event => exactJson(event.#after)
  }

  constructor(row: EventRow, open?: Open) {
    this.seq = Number(row.seq)
    this.id = row.id
    this.recordedAt = new Date(row.recordedAt)
    this.tenantId = row.tenantId
    this.kind = row.kind
    this.type = row.type
    this.entity = row.entity
    this.entityId = row.entityId
    this.entityVersion = row.entityVersion
    this.schemaVersion = row.schemaVersion
    this.source = row.source
    this.actorType = row.actorType
    this.actorId = row.actorId
    this.requestId = row.requestId
    this.correlationId = row.correlationId
    this.causationId = row.causationId
    this.decisionId = row.decisionId
    this.reason = row.reason
    this.#changed = row.changed
    this.#before = row.before
    this.#after = row.after
    this.#open = open
  }

  get changed(): string[] | null {
    return changedIn({ changed: this.#changed, before: this.#before }, () => exactJson(this.#after))
  }

  get before(): Record<string, unknown> | null {
    return this.#read(this.#before)
  }

  get after(): Record<string, unknown> | null {
    return this.#read(this.#after)
  }

  /** With its documents, which are no fields of their own. */
  toJSON(): AuditEvent {
    return Object.assign({ changed: this.changed, before: this.before, after: this.after }, this)
  }

  #read(text: string | null): Record<string, unknown> | null {
    const side = exactJson(text)
    if (side) this.#open?.(side)
    return side
  }
}

/**
 * What an event made of its row, without what tells of people: that may be kept somewhere else, where erasing a person doesn't reach. Nothing
 * is opened for it, so it needs no key.
 */
export function impersonal(em: ScopedEntityManager, event: FollowedEvent): Values | null {
  const after = afterAsStored(event)
  const names = personalIn({ kind: event.kind, entity: event.entity, after }, personalNames(em.getMetadata()))
  return after && names ? Object.fromEntries(Object.entries(after).filter(([name]) => !names.has(name))) : after
}

/** The events of a window, in order, as fast as the driver reads. */
export async function eventsBetween(em: ScopedEntityManager, position: number, end: number, limit: number): Promise<FollowedEvent[]> {
  const scope = em.boundScope
  const window = [`seq > ${position} and seq <= ${end}`] as const
  const rows = await eventRows(em, scope?.kind === 'tenant' ? [window, ['tenant_id = ?', scope.tenantId]] : [window], { limit })
  const columns = personalNames(em.getMetadata())
  const mayTell = ({ kind, entity }: EventRow) => kind === 'decision' || (entity && columns.has(entity))
  const telling = rows.filter(mayTell)
  if (telling.length === 0) return rows.map(row => new FollowedEvent(row))
  const opener = openerFor(em)
  await opener.prepare(telling.flatMap(({ tenantId, before, after }) => marksInText(tenantId, `${before} ${after}`)))
  const openIn = ({ tenantId, kind, entity }: EventRow, side: Record<string, unknown>) => {
    const names = personalIn({ kind, entity, after: side }, columns)
    if (names) openSide(tenantId, side, names, opener)
  }
  return rows.map(row => new FollowedEvent(row, mayTell(row) ? side => openIn(row, side) : undefined))
}

/** Perhaps more than columns hold that tell of a person: what is fetched too much is opened nowhere. */
function marksInText(log: string, text: string): Marked[] {
  return [...text.matchAll(/"(daybook:(?:sealed|personal):[^"]+)"/g)].map(([, mark]) => ({ log, mark: mark! }))
}
