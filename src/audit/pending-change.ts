import { type ChangeSet, ChangeSetType, EntityIdentifier, type EntityMetadata, isRaw, wrap } from '@mikro-orm/core'
import { oncePer } from '../kernel/once-per.ts'
import type { AuditedTable } from './audited-table.ts'
import type { Texts } from './event-buffer.ts'
import type { Seal } from './personal.ts'
import { columnPropertiesOf, type RecordedField, type RecordedFields, type Snapshot, snapshotOf } from './recorded-fields.ts'

/** One change set of a flush: what the row was, and what it will be or has become. */
export interface Pending {
  readonly set: ChangeSet<object>
  readonly table: AuditedTable
  readonly fields: RecordedFields
  /** What the ORM knew the row to be, read before anything was written. */
  readonly snapshot: Snapshot
  /** What the database said it was, where the ORM didn't know. */
  lookedUp?: Readonly<Record<string, string>>
  seal?: Seal
}

/** In which order the unit of work writes. */
const stages: readonly ChangeSetType[] = [
  ChangeSetType.DELETE_EARLY,
  ChangeSetType.UPDATE_EARLY,
  ChangeSetType.CREATE,
  ChangeSetType.UPDATE,
  ChangeSetType.DELETE,
]

export function inWritingOrder(pending: Pending[]): void {
  pending.sort((a, b) => stages.indexOf(a.set.type) - stages.indexOf(b.set.type))
}

export const deletions: ReadonlySet<ChangeSetType> = new Set([ChangeSetType.DELETE, ChangeSetType.DELETE_EARLY])

/** Entities that this process created: what they don't say is null in the database. */
export const createdHere = new WeakSet<object>()

export function idOf({ entity }: ChangeSet<object>): string {
  return String(wrap(entity, true).getPrimaryKey())
}

/** Whether a column will be what only the database knows: `raw`, or a type that converts in SQL. */
export function leavesValueToDatabase({ set, fields }: Pending): boolean {
  const payload = set.payload as Snapshot
  for (const { property, isConverted } of fields.all) {
    const value = payload[property]
    if (isConverted ? property in payload : typeof value === 'object' && value !== null && isRaw(value)) return true
  }
  return false
}

/** What a row's reference, or its own id, says: by the entity, or by what was looked up. */
export function idIn({ set, lookedUp }: Pending, column: string): string | undefined {
  const known = idKnown(set.entity, set.meta, column)
  if (known) return known
  const told = lookedUp?.[column]
  return told && (JSON.parse(told) as string)
}

/** Null where it points at nothing, undefined where the entity doesn't know. */
export function idKnown(entity: object, meta: EntityMetadata, column: string): string | null | undefined {
  const value = (entity as Record<string, unknown>)[propertiesOf(meta).get(column)!]
  return value && typeof value === 'object' ? String(wrap(value, true).getPrimaryKey()) : (value as string | null | undefined)
}

/** By column. */
const propertiesOf = oncePer(
  (meta: EntityMetadata) => new Map(columnPropertiesOf(meta).map(({ name, fieldNames }) => [fieldNames[0]!, name] as const)),
)

export function tellsOfPerson(pending: Pending): boolean {
  const { set, table, fields } = pending
  if (table.personal.length === 0) return false
  return set.type !== ChangeSetType.UPDATE && set.type !== ChangeSetType.UPDATE_EARLY
    ? true
    : table.personal.some(column => isTouched(pending, fields.byColumn.get(column)!))
}

export function isWritten({ set }: Pending): boolean {
  return deletions.has(set.type) ? snapshotOf(set.entity) === undefined : set.persisted
}

export function snapshotBefore(set: ChangeSet<object>): Snapshot {
  if (set.type === ChangeSetType.CREATE) return {}
  return withVersion(set, deletions.has(set.type) ? snapshotOf(set.entity) : set.originalEntity)
}

/** The ORM's memory of a row leaves the version out once it has been raised. */
function withVersion({ entity, meta }: ChangeSet<object>, snapshot: Snapshot | undefined): Snapshot {
  const { versionProperty } = meta
  const version = versionProperty && (entity as Record<string, unknown>)[versionProperty]
  return version === undefined || version === null ? (snapshot ?? {}) : { ...snapshot, [versionProperty as string]: version }
}

export function hasUnknown(pending: Pending): boolean {
  const { set, table, fields, snapshot } = pending
  if (set.type === ChangeSetType.CREATE) return false
  const isMissing = (property: string) => !(property in snapshot) && !createdHere.has(set.entity)
  const person = table.personColumn !== 'id' && fields.byColumn.get(table.personColumn)?.property
  if (person && isMissing(person) && tellsOfPerson(pending)) return true
  for (const { property } of fields.all) {
    const isSent = property in set.payload
    if ((isSent || deletions.has(set.type)) && isMissing(property)) return true
    if (isSent && (set.payload as Snapshot)[property] === snapshot[property]) return true
  }
  return false
}

/** An update's columns are those that its payload names, and the version. */
function isTouched({ set, table }: Pending, { property, column }: RecordedField): boolean {
  return property in set.payload || column === table.versionColumn
}

export function textsBefore(pending: Pending): Texts {
  const { set, snapshot, lookedUp } = pending
  return textsOf(pending, deletions.has(set.type), ({ column, property, toJson }) => lookedUp?.[column] ?? toJson(snapshot[property]))
}

export function textsAfter(pending: Pending, outcome: Snapshot): Texts {
  return textsOf(pending, pending.set.type === ChangeSetType.CREATE, ({ property, toJson }) => toJson(outcome[property]))
}

/** Of a whole row what isn't null; of an update what it touched. */
function textsOf(pending: Pending, isWhole: boolean, textOf: (field: RecordedField) => string): Texts {
  return pending.fields.all.map(field => {
    if (!isWhole) return isTouched(pending, field) ? textOf(field) : undefined
    const text = textOf(field)
    return text === 'null' ? undefined : text
  })
}

/** What the ORM sent; of the rest, what it knows the row to be now. The two differ where it sets a moment after it has decided what to send. */
export function outcomeOf({ set }: Pending): Snapshot {
  return { ...withVersion(set, snapshotOf(set.entity)), ...set.payload }
}

/** What the row will be. */
export function foreseen({ set, snapshot, table, fields }: Pending): Snapshot {
  const version = table.versionColumn && fields.byColumn.get(table.versionColumn)!.property
  if (!version || deletions.has(set.type)) return set.payload as Snapshot
  const next = set.type === ChangeSetType.CREATE ? ((set.payload as Snapshot)[version] ?? 1) : Number(snapshot[version]) + 1
  return { ...set.payload, [version]: next }
}

/** Whether the database adds nothing of its own. */
export function isForeseeable(pending: Pending): boolean {
  const { set, table, fields, snapshot } = pending
  if (deletions.has(set.type)) return true
  const version = table.versionColumn && fields.byColumn.get(table.versionColumn)!.property
  if (set.type !== ChangeSetType.CREATE) return !version || typeof snapshot[version] === 'number'
  const values = Object.values(set.payload as object)
  return (
    !values.some(value => value instanceof EntityIdentifier) &&
    defaultedIn(set.meta).every(property => property === version || property in set.payload)
  )
}

/** Properties that the database fills in where they are left out. */
const defaultedIn = oncePer((meta: EntityMetadata) =>
  columnPropertiesOf(meta).flatMap(prop =>
    prop.defaultRaw !== undefined || prop.default !== undefined || prop.autoincrement ? [prop.name] : [],
  ),
)
