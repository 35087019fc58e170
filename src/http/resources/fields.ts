import { type EntityMetadata, type EntityProperty, ReferenceKind } from '@mikro-orm/core'
import { type TSchema, Type } from 'typebox'
import { auditedTableOf } from '../../audit/index.ts'
import { declarationOf } from '../../orm/index.ts'
import { idField, nullable } from '../fields.ts'

export type FieldKind = 'id' | 'text' | 'enum' | 'integer' | 'number' | 'boolean' | 'moment' | 'texts' | 'json'

/** A property of an entity as clients know it: by its own name, a relation by the id that it points at. */
export interface Field {
  readonly name: string
  readonly kind: FieldKind
  readonly isNullable: boolean
  /** Needed when one is made, because nothing fills it in. */
  readonly isRequired: boolean
  /** Never changes after that. */
  readonly isImmutable: boolean
  readonly relation?: EntityMetadata
  /** An integer that JavaScript keeps as a BigInt. */
  readonly isBig: boolean
  /** What an answer shows. */
  readonly answer: TSchema
  /** What a request may hold. */
  readonly input: TSchema
  /** What a filter may compare with: also what nobody could write any more. */
  readonly asked: TSchema
}

/** Every property that is stored and is anybody's business: no tenant, no secrets, nothing that the database makes for itself. */
export function fieldsOf(meta: EntityMetadata): Field[] {
  const { immutable } = declarationOf(meta.class)!
  const hidden = new Set(['tenant_id', ...(auditedTableOf(meta)?.secret ?? [])])
  const indexed = new Set([...meta.indexes, ...meta.uniques].flatMap(({ properties = [] }) => [properties].flat().map(String)))
  return meta.props
    .filter(prop => isColumn(prop) && !prop.hidden && !prop.generated && !prop.embedded && !hidden.has(prop.fieldNames[0]!))
    .map(prop => fieldOf(prop, { isImmutable: immutable.includes(prop.name), isIndexed: indexed.has(prop.name) }))
}

function isColumn({ kind, persist, object }: EntityProperty): boolean {
  const isOwn = kind === ReferenceKind.SCALAR || kind === ReferenceKind.MANY_TO_ONE || kind === ReferenceKind.ONE_TO_ONE
  return isOwn && persist !== false && !object
}

function fieldOf(prop: EntityProperty, { isImmutable, isIndexed }: { isImmutable: boolean; isIndexed: boolean }): Field {
  const { name, nullable: isNullable = false, targetMeta } = prop
  const kind = targetMeta ? 'id' : kindOf(prop)
  const answer = answers[kind](prop)
  const asked = inputs[kind](prop)
  const filledIn = prop.onCreate ?? prop.default ?? prop.defaultRaw ?? prop.version
  const isRequired = !isNullable && filledIn === undefined && !prop.primary
  const input = kind === 'text' ? textField({ isRequired, isIndexed }) : asked
  return {
    name,
    kind,
    isNullable,
    isRequired,
    isImmutable,
    isBig: prop.runtimeType === 'bigint',
    // What is the plain id here has nothing to show as a whole.
    ...(targetMeta && !prop.mapToPk && { relation: targetMeta }),
    answer: isNullable ? nullable(answer) : answer,
    input: isNullable ? nullable(input) : input,
    asked,
  }
}

function kindOf({ items, columnTypes: [type = ''] }: EntityProperty): FieldKind {
  if (items) return 'enum'
  if (type === 'uuid') return 'id'
  if (/^(timestamp|date)/.test(type)) return 'moment'
  if (/^(int|smallint|bigint|serial)/.test(type)) return 'integer'
  if (/^(numeric|double|real|float)/.test(type) && !type.endsWith('[]')) return 'number'
  if (type === 'boolean' || type === 'bool') return 'boolean'
  if (type === 'text[]') return 'texts'
  return type.startsWith('json') || type.endsWith('[]') ? 'json' : 'text'
}

type SchemaOf = Readonly<Record<FieldKind, (prop: EntityProperty) => TSchema>>

const words = ({ items }: EntityProperty) => Type.Enum((items ?? []) as string[])
const momentAnswer = () => Type.String({ format: 'date-time' })

const answers: SchemaOf = {
  id: () => Type.String({ format: 'uuid' }),
  text: () => Type.String(),
  enum: words,
  integer: () => Type.Integer(),
  number: () => Type.Number(),
  boolean: () => Type.Boolean(),
  moment: momentAnswer,
  texts: () => Type.Array(Type.String()),
  json: () => Type.Unknown(),
}

/** An instant with its offset: a time without one would mean another in each place. */
export const momentField = () =>
  Type.String({
    pattern:
      '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,9})?)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$',
    // Known to the validator of requests, which looks into the calendar.
    format: 'instant',
    description: 'an RFC 3339 instant',
  })

/** What nothing fills in isn't left empty; and an entry of an index has 2,704 bytes, of which a character takes up to three. */
const textField = ({ isRequired, isIndexed }: { isRequired: boolean; isIndexed: boolean }) =>
  Type.String({ ...(isRequired && { minLength: 1, pattern: '\\S' }), maxLength: isIndexed ? 500 : 20_000 })

const inputs: SchemaOf = {
  id: idField,
  text: () => Type.String({ maxLength: 20_000 }),
  enum: words,
  integer: ({ columnTypes: [type] }) =>
    type === 'bigint'
      ? Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })
      : Type.Integer({ minimum: -(2 ** 31), maximum: 2 ** 31 - 1 }),
  number: () => Type.Number(),
  boolean: () => Type.Boolean(),
  moment: momentField,
  texts: () => Type.Array(Type.String({ maxLength: 1_000 }), { maxItems: 1_000 }),
  json: () => Type.Object({}, { additionalProperties: true }),
}
