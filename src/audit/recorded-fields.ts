import { type EntityMetadata, type EntityProperty, ReferenceKind, wrap } from '@mikro-orm/core'
import { isObject } from '../kernel/is-object.ts'
import { oncePer } from '../kernel/once-per.ts'
import { parseArrayLiteral } from './array-literal.ts'
import { type AuditedTable, auditedTableOf } from './audited-table.ts'

/** What the ORM remembers of a row: by property, in the shape that it sends to the database. */
export type Snapshot = Readonly<Record<string, unknown>>

/**
 * One column as the log records it. Both writers of the log must say the same of the same value, so JavaScript writes what PostgreSQL's
 * `to_jsonb` would: moments in UTC, numbers with all their digits, bytes in hex, JSON as it is.
 */
export interface RecordedField {
  /** Its place among the fields of its table. */
  readonly place: number
  readonly property: string
  readonly column: string
  /** What stands before its value in an event: `"title":`. */
  readonly key: string
  readonly isDocument: boolean
  /** Whether it points at another row. */
  readonly isReference: boolean
  /** Whether the row has what SQL makes of what is sent. */
  readonly isConverted: boolean
  readonly isSecret: boolean
  readonly isPersonal: boolean
  readonly toJson: (value: unknown) => string
}

export interface RecordedFields {
  readonly all: readonly RecordedField[]
  readonly byColumn: ReadonlyMap<string, RecordedField>
}

/** The columns of an entity's table that events tell about: all but the two that every event has in columns of its own. */
export const recordedFieldsOf = oncePer((meta: EntityMetadata): RecordedFields => {
  const table = auditedTableOf(meta)!
  const told = columnPropertiesOf(meta).filter(({ fieldNames: [column] }) => column !== 'id' && column !== 'tenant_id')
  const all = told.map((prop, place) => describe(prop, place, table))
  return { all, byColumn: new Map(all.map(field => [field.column, field])) }
})

/** The properties that are stored, each in one column of its own. */
export function columnPropertiesOf(meta: EntityMetadata): EntityProperty[] {
  return meta.props.filter(isColumn)
}

function isColumn(prop: EntityProperty): boolean {
  if (prop.persist === false || prop.formula || prop.generated || prop.fieldNames?.length !== 1) return false
  if (prop.kind === ReferenceKind.EMBEDDED) return Boolean(prop.object)
  // A property of an embedded object lives inside that object's document.
  if (prop.object && prop.embedded) return false
  return (
    prop.kind === ReferenceKind.SCALAR || prop.kind === ReferenceKind.MANY_TO_ONE || (prop.kind === ReferenceKind.ONE_TO_ONE && prop.owner)
  )
}

function describe(prop: EntityProperty, place: number, table: AuditedTable): RecordedField {
  const column = prop.fieldNames[0]!
  const type = prop.columnTypes[0]!.toLowerCase()
  const toJson = prop.kind === ReferenceKind.EMBEDDED ? embeddedWriter(prop) : writerFor(type)
  return {
    place,
    property: prop.name,
    column,
    key: `"${column}":`,
    isDocument: /^jsonb?$/.test(type),
    isReference: prop.targetMeta !== undefined && prop.kind !== ReferenceKind.EMBEDDED,
    isConverted: prop.hasConvertToDatabaseValueSQL ?? false,
    isSecret: table.secret.includes(column),
    isPersonal: table.personal.includes(column),
    toJson: value => (value === null || value === undefined ? 'null' : toJson(value)),
  }
}

/** A document of what is embedded is stored by its fields' names, which the driver alone puts there. */
function embeddedWriter(prop: EntityProperty): (value: unknown) => string {
  return value => JSON.stringify(withFieldNames(typeof value === 'string' ? JSON.parse(value) : value, prop))
}

function withFieldNames(document: unknown, { embeddedProps }: EntityProperty): unknown {
  return renamed(
    document,
    key => embeddedProps[key] && { prop: embeddedProps[key], name: embeddedProps[key].fieldNames[0]! },
    withFieldNames,
  )
}

/** The same as the entity has it. */
export function withPropertyNames(document: unknown, { embeddedProps }: EntityProperty): unknown {
  const stored = new Map(Object.values(embeddedProps).map(prop => [prop.fieldNames[0], { prop, name: prop.embedded![1] }]))
  return renamed(document, key => stored.get(key), withPropertyNames)
}

interface Renamed {
  readonly prop: EntityProperty
  readonly name: string
}

function renamed(document: unknown, nameFor: (key: string) => Renamed | undefined, within: typeof withPropertyNames): unknown {
  if (Array.isArray(document)) return document.map(each => renamed(each, nameFor, within))
  if (!isObject(document)) return document
  const entries = Object.entries(document).map(([key, value]) => {
    const { prop, name } = nameFor(key) ?? { name: key }
    return [name, prop?.kind === ReferenceKind.EMBEDDED ? within(value, prop) : value] as const
  })
  return Object.fromEntries(entries)
}

/** A text is written as the driver sends it, for which half of a surrogate pair is no character. */
function writerFor(type: string): (value: unknown) => string {
  if (/^jsonb?$/.test(type)) return value => (typeof value === 'string' ? value : JSON.stringify(value))
  if (type.endsWith('[]')) {
    const write = writerFor(type.slice(0, -2))
    const all = (value: unknown): string =>
      Array.isArray(value) ? `[${value.map(all).join(',')}]` : value === null ? 'null' : write(value)
    return value => all(typeof value === 'string' ? parseArrayLiteral(value) : value)
  }
  if (/^(timestamptz|timestamp with time zone)/.test(type)) return momentWriter('+00:00')
  if (type.startsWith('timestamp')) return momentWriter('')
  if (type === 'date') return value => `"${value instanceof Date ? value.toISOString().slice(0, 10) : String(value)}"`
  if (/^(bytea)/.test(type)) return value => `"\\\\x${Buffer.from(value as Uint8Array).toString('hex')}"`
  if (/^(bigint|integer|int[248]?|smallint)\b/.test(type)) return value => exactNumber(typeof value === 'number' ? rounded(value) : value)
  if (/^(numeric|decimal)/.test(type)) return exactNumber
  if (/^(float|real|double|bool)/.test(type))
    return value => (typeof value === 'string' && /^[-\d.tf]/.test(value) ? scalarText(value) : JSON.stringify(value))
  return value => JSON.stringify(typeof value === 'string' ? value.toWellFormed() : value)
}

/** A column of integers takes a fraction, and keeps what it is rounded to, away from zero; the log couldn't give the row back from anything else. */
function rounded(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value))
}

/** With all its digits, which a JavaScript number would round. */
function exactNumber(value: unknown): string {
  const text = `${value as string | number | bigint}`.replace(/^(-?)0+(?=\d)/, '$1')
  return /^-?\d+(\.\d+)?$/.test(text) ? text : JSON.stringify(text)
}

/** An element of an array literal: what it says, without quotes. */
function scalarText(text: string): string {
  return text === 't' || text === 'f' ? String(text === 't') : text
}

/** Rows that are written together often share their moments, and writing one takes longer than comparing two. */
function momentWriter(zone: string): (value: unknown) => string {
  let [lastTime, lastText] = [Number.NaN, '']
  return value => {
    const moment = value instanceof Date ? value : new Date(value as string)
    const time = moment.getTime()
    if (time !== lastTime) [lastTime, lastText] = [time, `"${momentText(moment)}${zone}"`]
    return lastText
  }
}

/** PostgreSQL leaves out the zeros at the end of a fraction, and a fraction of zeros altogether. */
function momentText(moment: Date): string {
  const iso = moment.toISOString()
  let end = iso.length - 1
  if (iso.endsWith('.000Z')) end -= 4
  else while (iso[end - 1] === '0') end--
  return iso.slice(0, end)
}

/** What the ORM knows the entity's row to be now. */
export function snapshotOf(entity: object): Snapshot | undefined {
  // oxlint-disable-next-line no-underscore-dangle -- the ORM's name; it has no other way to ask
  return (wrap(entity, true) as unknown as { __originalEntityData?: Snapshot }).__originalEntityData
}
