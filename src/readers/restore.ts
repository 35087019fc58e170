import { type Collection, type EntityMetadata, type EntityProperty, Reference, ReferenceKind, wrap } from '@mikro-orm/core'
import {
  type AuditEvent,
  auditedTableOf,
  because,
  columnPropertiesOf,
  countOnFrom,
  erased,
  inTransaction,
  ValueErasedError,
} from '../audit/index.ts'
import { declarationOf, ownsPivot, type Row, type ScopedEntityManager } from '../orm/index.ts'
import { throughCut } from './as-of.ts'
import { type Cut, rightBefore } from './cut.ts'
import { eventsOf, subjectOf } from './history.ts'
import { readEvents } from './read-events.ts'
import { NotRestorableError } from './readers.errors.ts'
import { lazyPathsOf, pathTo } from './told-changes.ts'
import { valueUnder } from './told-values.ts'
import { touching } from './touching.ts'

/**
 * Brings a deleted entity back under its id, as it was right before, with those of its many-to-many relations that are still there. One that
 * is only marked as deleted loses the mark. What went along with it by a foreign key was deleted too, and is restored by itself.
 */
export function restore<T extends Row>(em: ScopedEntityManager, subject: readonly [type: new () => T, id: string]): Promise<T> {
  return inTransaction(em, async inner => {
    const { meta, id, type } = subjectOf(inner, subject)
    const there = await inner.findOne(type, id, { filters: { live: false } })
    if (there) return (await unmark(inner, there, meta)) as T
    const deleted = [...eventsOf(inner, meta, id), ['type = ?', `${auditedTableOf(meta)!.entity}.deleted`] as const]
    const [deletion] = await readEvents(inner, deleted, { newestFirst: true, limit: 1 })
    if (!deletion) throw new NotRestorableError(meta.className, id, 'the log never saw it deleted')
    return because(inner, { causation: deletion.id }, async () => (await copyFromPast(inner, type, id, deletion)) as T)
  })
}

type Marked = Row & { deletedAt?: Date | null }

async function unmark(em: ScopedEntityManager, row: Marked, meta: EntityMetadata): Promise<Row> {
  const isMarked = declarationOf(meta.class)?.softDelete && row.deletedAt
  if (!isMarked) throw new NotRestorableError(meta.className, row.id, 'it is there')
  const marking = [...eventsOf(em, meta, row.id), ['kind = ?', 'activity'] as const, touching('deletedAt', meta, 'creations')]
  const [marked] = await readEvents(em, marking, { newestFirst: true, limit: 1 })
  await because(em, { ...(marked && { causation: marked.id }) }, async () => void (row.deletedAt = null))
  return row
}

async function copyFromPast(em: ScopedEntityManager, type: new () => Row, id: string, deletion: AuditEvent): Promise<Row> {
  const rootMeta = em.getMetadata().find(type)!
  const links = rootMeta.relations.filter(prop => ownsPivot(prop) && em.getMetadata().find(prop.pivotEntity)?.pivotTable)
  const past = await throughCut(em, await cutBefore(em, deletion, rootMeta)).findOne(type, id, {
    populate: [...links.map(({ name }) => name), ...lazyPathsOf(rootMeta)] as never,
    filters: { live: false },
  })
  if (!past) throw new NotRestorableError(rootMeta.className, id, 'the log doesn’t know what it was')
  const meta = em.getMetadata().find(past.constructor as never)!
  refuseLostSecrets(meta, id)
  const values = past as unknown as Record<string, unknown>
  refuseErased(meta, values)
  const wholes = wholesOf(meta)
  const isItself = ({ kind, name, mapToPk }: EntityProperty) => kind.endsWith(':1') && !mapToPk && idAt(values[name]) === id
  const data = wholes.filter(prop => !isItself(prop)).map(prop => [prop.name, inPresent(em, prop, values[prop.name])])
  const entity = em.create(meta.class as new () => Row, { ...Object.fromEntries(data), id } as never, { partial: true })
  // A reference by its id would be taken for a row that is there.
  for (const { name, ref } of wholes.filter(isItself)) Object.assign(entity, { [name]: ref ? wrap(entity).toReference() : entity })
  const version = values[meta.versionProperty]
  if (typeof version === 'number') countOnFrom(entity, version + 1)
  for (const link of links) {
    const ids = (values[link.name] as Collection<Row>).getIdentifiers<string>()
    const still = await em.find(link.targetMeta!.class as new () => Row, { id: { $in: ids } }, { filters: { live: false } })
    const collection = (entity as unknown as Record<string, Collection<Row>>)[link.name]!
    collection.add(ids.flatMap(of => still.filter(item => item.id === of)))
  }
  // What acts by itself rests, for nobody asked for what it would do at once.
  declarationOf(meta.class)?.restored?.(entity as never)
  return entity
}

/**
 * Its links go with a row, so a deletion's own transaction tells of them as if somebody had taken them away: of each relation that was
 * emptied in it, the last such word counts as the deletion's.
 */
async function cutBefore(em: ScopedEntityManager, deletion: AuditEvent, meta: EntityMetadata): Promise<Cut> {
  const ofDeletion = [
    `xact = (select xact from audit_event where id = ?) and type like '%-changed' and seq < ?`,
    deletion.id,
    deletion.seq,
  ] as const
  const unlinking = await readEvents(em, [...eventsOf(em, meta, deletion.entityId!), ofDeletion])
  const last = new Map(unlinking.map(event => [event.type, event]))
  const emptied = [...last.values()].filter(({ after }) => Object.values(after ?? {}).every(ids => Array.isArray(ids) && ids.length === 0))
  return { ...rightBefore(deletion), without: emptied.map(({ seq }) => seq) }
}

/** What is stored, with embedded objects as wholes; the version counts on. */
function wholesOf(meta: EntityMetadata): EntityProperty[] {
  const stored = columnPropertiesOf(meta).filter(prop => !prop.embedded && !prop.version && prop.name !== meta.root.discriminatorColumn)
  const inline = meta.props.filter(prop => prop.kind === ReferenceKind.EMBEDDED && !prop.object && !prop.embedded)
  return [...stored, ...inline]
}

function inPresent(em: ScopedEntityManager, prop: EntityProperty, value: unknown): unknown {
  if (value === null || value === undefined) return value
  if (prop.kind === ReferenceKind.EMBEDDED) return Array.isArray(value) ? value.map(each => ({ ...(each as object) })) : { ...value }
  if (!prop.targetMeta || prop.mapToPk) return value
  return em.getReference(prop.targetMeta.class, idAt(value) as never)
}

const idAt = (value: unknown): unknown => value && Reference.unwrapReference(value as { id: unknown }).id

/** What nobody knows of a person any more can't be brought back. */
function refuseErased(meta: EntityMetadata, values: Record<string, unknown>): void {
  const { personal } = auditedTableOf(meta)!
  const gone = columnPropertiesOf(meta).filter(
    prop => personal.includes(prop.fieldNames[0]!) && valueUnder(pathTo(prop, meta), values) === erased,
  )
  if (gone.length > 0)
    throw new ValueErasedError(
      `Restoring the ${meta.className}`,
      gone.map(({ name }) => name),
    )
}

/** A secret that a row can't do without is known to nobody any more. */
function refuseLostSecrets(meta: EntityMetadata, id: string): void {
  const secret = new Set(auditedTableOf(meta)!.secret)
  const lost = columnPropertiesOf(meta).filter(prop => secret.has(prop.fieldNames[0]!) && !prop.nullable)
  if (lost.length > 0) throw new NotRestorableError(meta.className, id, `the log never knew its ${lost.map(({ name }) => name).join(', ')}`)
}
