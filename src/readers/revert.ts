import type { EntityMetadata } from '@mikro-orm/core'
import { type AuditEvent, auditedTableOf, differencesBetween, erased, inTransaction } from '../audit/index.ts'
import { isId } from '../kernel/id.ts'
import { allLockedAfresh, type Row, type ScopedEntityManager, tablesOf, wholly } from '../orm/index.ts'
import { rightBefore } from './cut.ts'
import { foldedRow } from './folded-row.ts'
import { eventsOf } from './history.ts'
import { readEvents } from './read-events.ts'
import { EventUnknownError, NotRevertibleError, RevertConflictError } from './readers.errors.ts'
import { changesIn, type PropertyChange, propertyOf } from './told-changes.ts'
import { type Target, Undoing } from './undoing.ts'
import { inTodaysShape } from './upcast.ts'

export interface RevertOptions {
  /** Also where a later change is lost by it, or rows that point at what it removes. */
  readonly force?: boolean
}

type Named = string | { readonly id: string }

/**
 * Takes back what an event did, as a new event that names it as its cause; a decision stands for all that was done because of it. Of several
 * all is taken back, the latest first, or nothing. When something else came later that would be lost, it refuses and says what; the rest of
 * each entity stays as it is.
 */
export function revert(em: ScopedEntityManager, events: Named | readonly Named[], { force = false }: RevertOptions = {}): Promise<void> {
  const ids = [events].flat().map(event => (typeof event === 'string' ? event : event.id))
  return inTransaction(em, async inner => {
    const targets = await targetsOf(inner, ids)
    const work = async (own: ScopedEntityManager) => {
      await lockRows(own, targets)
      const together = new Set(targets.map(({ event }) => event.id))
      if (!force) for (const target of targets) await refuseLosses(own, target, together)
      await new Undoing(own, targets, force).all()
    }
    await (targets.length > 1 ? wholly(inner, work) : work(inner))
  })
}

/** The latest first. */
async function targetsOf(em: ScopedEntityManager, ids: readonly string[]): Promise<Target[]> {
  const named = await Promise.all(ids.map(id => eventWith(em, id)))
  const effects = await Promise.all(named.map(async event => (event.kind === 'decision' ? effectsOf(em, event) : [event])))
  const events = [...new Map(effects.flat().map(event => [event.id, event])).values()].toSorted((a, b) => b.seq - a.seq)
  const targets: Target[] = []
  for (const event of events) targets.push(await targetOf(em, event))
  return targets
}

async function eventWith(em: ScopedEntityManager, id: string): Promise<AuditEvent> {
  const [found] = isId(id) ? await readEvents(em, [['id = ?', id]]) : []
  if (!found) throw new EventUnknownError(id)
  return found
}

/** What was done because of a decision. */
async function effectsOf(em: ScopedEntityManager, { id, tenantId, decisionId }: AuditEvent): Promise<readonly AuditEvent[]> {
  const effects = await readEvents(em, [
    ['tenant_id = ?', tenantId],
    ['decision_id = ?', decisionId],
    ['kind = ?', 'activity'],
  ])
  if (effects.length === 0) throw new NotRevertibleError(id, 'nothing was done because of it')
  return effects
}

async function targetOf(em: ScopedEntityManager, event: AuditEvent): Promise<Target> {
  const meta = tablesOf(em.getMetadata()).find(candidate => auditedTableOf(candidate)?.entity === event.entity)
  if (!meta || !event.entityId) throw new NotRevertibleError(event.id, 'it changed no row')
  const kept = new Set(['updatedAt', meta.versionProperty])
  const changes = event.type.endsWith('.updated') ? await effectOf(em, event, meta) : changesIn(event, meta)
  return { event, meta, type: meta.class as new () => Row, changes: changes.filter(({ property }) => !kept.has(property)) }
}

/**
 * What an update did to its row. Of a row without a version its writer may have known less than was there, and says in `before` what it
 * believed; what came before it the log knows better, but for what it wasn't told when the row was made.
 */
async function effectOf(em: ScopedEntityManager, event: AuditEvent, meta: EntityMetadata): Promise<PropertyChange[]> {
  const was = (await foldedRow(em, meta, event.entityId!, rightBefore(event))) ?? {}
  const { before: believed, after } = inTodaysShape(event, auditedTableOf(meta)!.past)
  return Object.entries(after ?? {}).flatMap(([column, became]) => {
    const before = column in was ? was[column] : believed?.[column]
    const differences = before === erased ? [{ path: column, before, after: became }] : differencesBetween(column, before, became)
    return [...differences].map(({ path, ...sides }) => ({ property: propertyOf(path, meta), ...sides }))
  })
}

/** In the order of their ids, as whoever else locks several does, so nobody changes what has been looked at. */
async function lockRows(em: ScopedEntityManager, targets: readonly Target[]): Promise<void> {
  for (const [type, its] of Map.groupBy(targets, target => target.type)) {
    const id = { $in: [...new Set(its.map(({ event }) => event.entityId!))] }
    await allLockedAfresh(em, type, { id }, { orderBy: { id: 'asc' }, filters: { live: false } })
  }
}

/** What is taken back together is no loss. */
async function refuseLosses(em: ScopedEntityManager, { event, meta, changes }: Target, together: ReadonlySet<string>): Promise<void> {
  const later = await readEvents(em, [...eventsOf(em, meta, event.entityId!), ['kind = ?', 'activity'], ['seq > ?', event.seq]])
  const ours = changes.map(({ property }) => property)
  const lost = new Set<string>()
  const blocking = later.filter(told => {
    if (together.has(told.id)) return false
    const { changed } = inTodaysShape(told, auditedTableOf(meta)!.past)
    const theirs = changed?.map(path => propertyOf(path, meta)) ?? (told.type.endsWith('.deleted') ? ours : [])
    const touched = event.changed ? ours.filter(property => theirs.some(other => overlaps(property, other))) : theirs
    for (const property of touched) lost.add(property)
    return touched.length > 0
  })
  if (blocking.length === 0) return
  const blockers = blocking.map(({ id }) => id)
  throw new RevertConflictError(event.id, [...lost], blockers, [])
}

function overlaps(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`)
}
