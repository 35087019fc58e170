import { type Collection, type EntityMetadata, type EntityProperty, LockMode, ReferenceKind } from '@mikro-orm/core'
import { type AuditEvent, auditedTableOf, because, erased, ValueErasedError } from '../audit/index.ts'
import type { Row, ScopedEntityManager } from '../orm/index.ts'
import { NotRevertibleError, RevertConflictError } from './readers.errors.ts'
import { referencesTo } from './references.ts'
import { restore } from './restore.ts'
import { embeddedIn, lazyPathsOf, propertiesOf, type PropertyChange } from './told-changes.ts'
import { valueOf, valueUnder } from './told-values.ts'

/** An event that is to be taken back, and what it did to its row. */
export interface Target {
  readonly event: AuditEvent
  readonly meta: EntityMetadata
  readonly type: new () => Row
  readonly changes: readonly PropertyChange[]
}

/**
 * Takes events back one after the other, the latest first. Only where something can't be put back because a row isn't there that is to come
 * back too does that come first: of what a deletion takes along some is told before it and some behind it.
 */
export class Undoing {
  readonly #em: ScopedEntityManager
  readonly #targets: readonly Target[]
  readonly #force: boolean
  readonly #left: Set<Target>
  readonly #byRow: ReadonlyMap<string, readonly Target[]>

  constructor(em: ScopedEntityManager, targets: readonly Target[], force: boolean) {
    this.#em = em
    this.#targets = targets
    this.#force = force
    this.#left = new Set(targets)
    this.#byRow = Map.groupBy(targets, ({ event }) => rowKey(event.entity, event.entityId))
  }

  async all(): Promise<void> {
    for (const target of this.#targets) await this.#takeBack(target)
  }

  async #takeBack(target: Target): Promise<void> {
    if (!this.#left.delete(target) || this.#isMoot(target)) return
    for (const row of rowsNeeded(target)) {
      const deletion = this.#deletionBefore(target, row)
      if (deletion) await this.#takeBack(deletion)
    }
    if (!this.#force) await this.#refuseReferences(target)
    await because(this.#em, { causation: target.event.id }, () => undo(this.#em, target))
  }

  /** What made a row not be there at an event, if that is to be taken back as well. */
  #deletionBefore({ event }: Target, row: string): Target | undefined {
    const lives = (this.#byRow.get(row) ?? []).filter(other => other.event.seq < event.seq && isWhole(other.event))
    return lives[0]?.event.type.endsWith('.deleted') ? lives[0] : undefined
  }

  /** What the log can't give back needn't come back to a row that goes. */
  #isMoot({ event, changes }: Target): boolean {
    const row = this.#byRow.get(rowKey(event.entity, event.entityId))!
    return changes.length === 0 && row.some(other => other.event.type.endsWith('.created') && other.event.seq < event.seq)
  }

  /** Rows that will go as well may point at it. */
  async #refuseReferences({ event, meta }: Target): Promise<void> {
    if (!event.type.endsWith('.created')) return
    const going = [...this.#left].filter(other => other.event.type.endsWith('.created')).map(other => other.event.entityId!)
    const references = await referencesTo(this.#em, meta, event.entityId!, going)
    if (references.length > 0) throw new RevertConflictError(event.id, [], [], references)
  }
}

const rowKey = (entity: string | null | undefined, id: unknown): string => `${entity} ${String(id)}`

const isWhole = ({ type }: AuditEvent): boolean => type.endsWith('.created') || type.endsWith('.deleted')

/** Its own, and those that it pointed at before. Of what was made there was nothing before. */
function rowsNeeded({ event, meta, changes }: Target): string[] {
  if (event.type.endsWith('.created')) return []
  const pointed = changes.flatMap(({ property, before }) => {
    const target = meta.root.properties[property as never]?.targetMeta
    const entity = target && auditedTableOf(target.root)?.entity
    return entity ? [before].flat().map(id => rowKey(entity, id)) : []
  })
  return [rowKey(event.entity, event.entityId), ...pointed]
}

/** Also a row that is only marked as deleted, which the mark's event is undone on. */
async function undo(em: ScopedEntityManager, target: Target): Promise<void> {
  const { event, type, meta } = target
  if (event.type.endsWith('.deleted')) return void (await restore(em, [type, event.entityId!]))
  // With what is only loaded when it is asked for: of a document one path is put back, and the rest of it stays.
  const populate = lazyPathsOf(meta) as never
  const entity = await em.findOne(type, event.entityId, { populate, lockMode: LockMode.PESSIMISTIC_WRITE, filters: { live: false } })
  if (event.type.endsWith('.created')) return void (entity && em.remove(entity))
  if (!entity) throw new NotRevertibleError(event.id, `${meta.className} ${event.entityId} was removed since; restore it first`)
  if (event.type.endsWith('-changed')) await relink(em, entity, target)
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
  // Others may have said what was there already, in a seal of which nobody can tell that it says the same.
  if (changes.length === 0 && keepsLess(event)) throw new NotRevertibleError(event.id, 'the log keeps none of the values that it changed')
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

function keepsLess({ changed, after }: AuditEvent): boolean {
  const told = new Set(Object.keys(after ?? {}))
  return (changed ?? []).some(path => !told.has(path.split('.')[0]!))
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
