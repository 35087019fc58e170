import { type Collection, type EntityMetadata, type EntityProperty, Reference, ReferenceKind } from '@mikro-orm/core'
import { type AuditEvent, auditedTableOf, because, columnPropertiesOf, erased, inTransaction, ValueErasedError } from '../audit/index.ts'
import { ownsPivot, type Row, type ScopedEntityManager } from '../orm/index.ts'
import { asOf } from './as-of.ts'
import { eventsOf, subjectOf } from './history.ts'
import { readEvents } from './read-events.ts'
import { NotRestorableError } from './readers.errors.ts'

/** Brings a deleted entity back under its id, as it was right before, with those of its many-to-many relations that are still there. */
export function restore<T extends Row>(em: ScopedEntityManager, subject: readonly [type: new () => T, id: string]): Promise<T> {
  return inTransaction(em, async inner => {
    const { meta, id, type } = subjectOf(inner, subject)
    if (await inner.findOne(type, id)) throw new NotRestorableError(meta.className, id, 'it is there')
    const deleted = [...eventsOf(inner, meta, id), ['type = ?', `${auditedTableOf(meta)!.entity}.deleted`] as const]
    const [deletion] = await readEvents(inner, deleted, { newestFirst: true, limit: 1 })
    if (!deletion) throw new NotRestorableError(meta.className, id, 'the log never saw it deleted')
    return because(inner, { causation: deletion.id }, async () => (await copyFromPast(inner, type, id, deletion)) as T)
  })
}

async function copyFromPast(em: ScopedEntityManager, type: new () => Row, id: string, deletion: AuditEvent): Promise<Row> {
  const rootMeta = em.getMetadata().find(type)!
  const links = rootMeta.relations.filter(prop => ownsPivot(prop) && em.getMetadata().find(prop.pivotEntity)?.pivotTable)
  const past = await asOf(em, { before: deletion }).findOne(type, id, { populate: links.map(({ name }) => name) as never })
  if (!past) throw new NotRestorableError(rootMeta.className, id, 'it was made and deleted in one transaction')
  const meta = em.getMetadata().find(past.constructor as never)!
  refuseLostSecrets(meta, id)
  const values = past as unknown as Record<string, unknown>
  refuseErased(meta, values)
  const data = Object.fromEntries(propertiesOf(meta).map(prop => [prop.name, inPresent(em, prop, values[prop.name])]))
  const entity = em.create(meta.class as new () => Row, { ...data, id } as never, { partial: true })
  for (const link of links) {
    const ids = (values[link.name] as Collection<Row>).getIdentifiers<string>()
    const still = await em.find(link.targetMeta!.class as new () => Row, { id: { $in: ids } })
    const collection = (entity as unknown as Record<string, Collection<Row>>)[link.name]!
    collection.add(ids.flatMap(of => still.filter(item => item.id === of)))
  }
  return entity
}

/** What is stored, with embedded objects as wholes; the version starts anew. */
function propertiesOf(meta: EntityMetadata): EntityProperty[] {
  const stored = columnPropertiesOf(meta).filter(prop => !prop.embedded && !prop.version && prop.name !== meta.root.discriminatorColumn)
  const inline = meta.props.filter(prop => prop.kind === ReferenceKind.EMBEDDED && !prop.object && !prop.embedded)
  return [...stored, ...inline]
}

function inPresent(em: ScopedEntityManager, prop: EntityProperty, value: unknown): unknown {
  if (value === null || value === undefined) return value
  if (prop.kind === ReferenceKind.EMBEDDED) return { ...value }
  if (!prop.targetMeta || prop.mapToPk) return value
  return em.getReference(prop.targetMeta.class, Reference.unwrapReference(value as never)['id'])
}

/** What nobody knows of a person any more can't be brought back. */
function refuseErased(meta: EntityMetadata, values: Record<string, unknown>): void {
  const { personal } = auditedTableOf(meta)!
  const gone = columnPropertiesOf(meta).filter(({ name, fieldNames }) => personal.includes(fieldNames[0]!) && values[name] === erased)
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
