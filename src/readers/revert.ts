import { type Collection, type EntityMetadata, type EntityProperty, LockMode, ReferenceKind } from '@mikro-orm/core'
import { type AuditEvent, auditedTableOf, because, differencesBetween, erased, inTransaction, ValueErasedError } from '../audit/index.ts'
import { isId } from '../kernel/id.ts'
import { type Row, type ScopedEntityManager, tablesOf } from '../orm/index.ts'
import { rightBefore } from './cut.ts'
import { foldedRow } from './folded-row.ts'
import { eventsOf } from './history.ts'
import { readEvents } from './read-events.ts'
import { EventUnknownError, NotRevertibleError, RevertConflictError } from './readers.errors.ts'
import { referencesTo } from './references.ts'
import { restore } from './restore.ts'
import { changesIn, embeddedIn, lazyPathsOf, propertiesOf, type PropertyChange, propertyOf } from './told-changes.ts'
import { valueOf, valueUnder } from './told-values.ts'
import { inTodaysShape } from './upcast.ts'

export interface RevertOptions {
  /** Also where a later change is lost by it, or rows that point at what it removes. */
  readonly force?: boolean
}

/**
 * Takes back what an event did, as a new event that names it as its cause. When something came later that would be lost, it refuses and
 * says what; the rest of the entity stays as it is.
 */
export function revert(em: ScopedEntityManager, event: string | { readonly id: string }, options: RevertOptions = {}): Promise<void> {
  const id = typeof event === 'string' ? event : event.id
  return inTransaction(em, async inner => {
    const [found] = isId(id) ? await readEvents(inner, [['id = ?', id]]) : []
    if (!found) throw new EventUnknownError(id)
    const target = await targetOf(inner, found)
    if (!options.force) await refuseLosses(inner, target)
    await because(inner, { causation: found.id }, () => undo(inner, target))
  })
}

interface Target {
  readonly event: AuditEvent
  readonly meta: EntityMetadata
  readonly type: new () => Row
  readonly changes: readonly PropertyChange[]
}

async function targetOf(em: ScopedEntityManager, event: AuditEvent): Promise<Target> {
  const meta = tablesOf(em.getMetadata()).find(candidate => auditedTableOf(candidate)?.entity === event.entity)
  if (event.kind === 'decision' || !meta || !event.entityId)
    throw new NotRevertibleError(event.id, 'it changed no row; override a decision instead')
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

async function refuseLosses(em: ScopedEntityManager, { event, meta, changes }: Target): Promise<void> {
  const later = await readEvents(em, [...eventsOf(em, meta, event.entityId!), ['kind = ?', 'activity'], ['seq > ?', event.seq]])
  const ours = changes.map(({ property }) => property)
  const lost = new Set<string>()
  const blocking = later.filter(told => {
    const { changed } = inTodaysShape(told, auditedTableOf(meta)!.past)
    const theirs = changed?.map(path => propertyOf(path, meta)) ?? (told.type.endsWith('.deleted') ? ours : [])
    const touched = event.changed ? ours.filter(property => theirs.some(other => overlaps(property, other))) : theirs
    for (const property of touched) lost.add(property)
    return touched.length > 0
  })
  const references = event.type.endsWith('.created') ? await referencesTo(em, meta, event.entityId!) : []
  if (blocking.length === 0 && references.length === 0) return
  const blockers = blocking.map(({ id }) => id)
  throw new RevertConflictError(event.id, [...lost], blockers, references)
}

function overlaps(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`)
}

/** Also a row that is only marked as deleted, which the mark's event is undone on. */
async function undo(em: ScopedEntityManager, target: Target): Promise<void> {
  const { event, type, meta } = target
  if (event.type.endsWith('.deleted')) return void (await restore(em, [type, event.entityId!]))
  // With what is only loaded when it is asked for: of a document one path is put back, and the rest of it stays.
  const populate = lazyPathsOf(meta) as never
  const entity = await em.findOne(type, event.entityId, { populate, lockMode: LockMode.PESSIMISTIC_WRITE, filters: { live: false } })
  if (!entity) throw new NotRevertibleError(event.id, `${meta.className} ${event.entityId} was removed since; restore it first`)
  if (event.type.endsWith('.created')) em.remove(entity)
  else if (event.type.endsWith('-changed')) await relink(em, entity, target)
  else putBack(em, entity, target)
}

async function relink(em: ScopedEntityManager, entity: Row, { meta, changes }: Target): Promise<void> {
  for (const { property, before, after } of changes) {
    const relation = meta.relations.find(({ name }) => name === property)!
    const collection = (entity as unknown as Record<string, Collection<object>>)[property]!
    await collection.init({ filters: { live: false } })
    const references = (ids: unknown) => (ids as string[]).map(id => em.getReference(relation.targetMeta!.class, id as never) as object)
    collection.remove(references(after))
    collection.add(references(before))
  }
}

/** Each property, or path in a document, as it was before. What the log doesn't tell stays. */
function putBack(em: ScopedEntityManager, entity: Row, { event, meta, changes }: Target): void {
  if (changes.length === 0) throw new NotRevertibleError(event.id, 'the log keeps none of the values that it changed')
  const gone = changes.filter(({ before }) => before === erased).map(({ property }) => property)
  if (gone.length > 0) throw new ValueErasedError(`Reverting event ${event.id}`, gone)
  for (const { property, before } of changes) {
    const { path, prop, below } = placeOf(property.split('.'), propertiesOf(meta.root))
    const value = below.length > 0 ? withPath(valueUnder(path, entity), below, before) : valueOf(em, prop, before)
    // In a document nothing and null are two things.
    const given = prop.object && prop.embedded && before === undefined ? undefined : value
    const holder = valueUnder(path.slice(0, -1), entity) as Record<string, unknown> | null | undefined
    // As the entity's own code would: assigning looks at what type a value has in the database, and refuses others of a type of one's own.
    if (holder && prop.kind === ReferenceKind.SCALAR) holder[path.at(-1)!] = given
    else em.assign(entity, nested(path, given) as never)
  }
}

interface Place {
  /** The way to the property, through what is embedded. */
  readonly path: readonly string[]
  readonly prop: EntityProperty
  /** The way on in its document. */
  readonly below: readonly string[]
}

function placeOf([name, ...below]: readonly string[], properties: Readonly<Record<string, EntityProperty | undefined>>): Place {
  const prop = properties[name!]!
  const within = embeddedIn(prop)
  if (below.length === 0 || prop.array || !within[below[0]!]) return { path: [name!], prop, below }
  const inner = placeOf(below, within)
  return { ...inner, path: [name!, ...inner.path] }
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value)
}

/** A copy of a document with one path set, or gone where it wasn't there before. */
function withPath(document: unknown, [key, ...below]: readonly string[], value: unknown): unknown {
  const copy: Record<string, unknown> = { ...(document as Record<string, unknown>) }
  if (below.length > 0) copy[key!] = withPath(copy[key!], below, value)
  else if (value === undefined) delete copy[key!]
  else copy[key!] = value
  return copy
}
