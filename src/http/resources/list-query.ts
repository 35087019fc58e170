import type { EntityMetadata, FilterQuery, QueryOrderMap } from '@mikro-orm/core'
import { type TSchema, Type } from 'typebox'
import type { TenantRow } from '../../orm/index.ts'
import { exactly } from '../fields.ts'
import { type InvalidPart, RequestInvalidError } from '../http.errors.ts'
import { type Field, momentField } from './fields.ts'
import type { Described } from './resource.ts'
import type { Position } from './cursor.ts'

/** What a list can be asked for; every filter and every order has an index behind it. */
export interface ListShape {
  readonly query: TSchema
  readonly filters: readonly Field[]
  readonly sorts: readonly string[]
}

const operators = ['gt', 'gte', 'lt', 'lte'] as const
type Operator = (typeof operators)[number]
const compared: ReadonlySet<Field['kind']> = new Set(['moment', 'integer', 'number'])

/** What is sorted by has 2,000 characters at most, of up to three bytes each, in base64; whether it is one of ours, its signature says. */
const longestCursor = 10_000

export function listShapeOf(resource: Described): ListShape {
  const filters = resource.fields.filter(field => isFilter(resource.meta, field))
  const sorts = ['id', ...resource.fields.filter(field => isSorted(resource.meta, field)).map(({ name }) => name)]
  const query = exactly({
    ...pageFields(resource),
    asOf: Type.Optional(momentField()),
    sort: Type.Optional(Type.Enum(sorts.flatMap(name => [name, `-${name}`]))),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    after: Type.Optional(Type.String({ maxLength: longestCursor, pattern: '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$' })),
    ...Object.fromEntries(filters.flatMap(filterParameters)),
  })
  return { query, filters, sorts }
}

/** What is asked of one and of many. */
export function pageFields({ fields }: Described): Record<string, TSchema> {
  const relations = fields.filter(({ relation }) => relation).map(({ name }) => name)
  return {
    fields: names('Fields to show, with commas between them.'),
    ...(relations.length > 0 && { populate: names(`Relations to show as a whole, at most three of: ${relations.join(', ')}.`) }),
  }
}

const names = (description: string) => Type.Optional(Type.String({ maxLength: 1_000, pattern: '^[A-Za-z]+(,[A-Za-z]+)*$', description }))

function isFilter(meta: EntityMetadata, { name, kind, relation }: Field): boolean {
  if (kind === 'json' || kind === 'texts') return false
  return name === 'id' || relation !== undefined || indexesOf(meta).some(properties => properties.includes(name))
}

/** The first thing after the tenant in a whole index. */
function isSorted(meta: EntityMetadata, { name, kind }: Field): boolean {
  return kind !== 'id' && indexesOf(meta).some(([, first]) => first === name)
}

/** The properties of whole indexes, in their order. */
function indexesOf(meta: EntityMetadata): string[][] {
  return [...meta.indexes, ...meta.uniques]
    .filter(index => !index.expression && !('where' in index && index.where))
    .map(({ properties = [] }) => [properties].flat().map(String))
}

function filterParameters(field: Field): [string, TSchema][] {
  const { name, kind, isNullable, asked: value } = field
  return [
    [name, Type.Optional(value)],
    ...(kind === 'id' || kind === 'enum' || kind === 'text'
      ? ([
          [
            `${name}.in`,
            Type.Optional(Type.String({ minLength: 1, maxLength: 4_000, description: 'Any of these, with commas between them.' })),
          ],
        ] as [string, TSchema][])
      : []),
    ...(compared.has(kind) ? operators.map((operator): [string, TSchema] => [`${name}.${operator}`, Type.Optional(value)]) : []),
    ...(isNullable ? ([[`${name}.null`, Type.Optional(Type.Boolean())]] as [string, TSchema][]) : []),
  ]
}

export type ListQuery = Readonly<Record<string, string | number | boolean | undefined>>

export function conditionsIn(query: ListQuery, { filters }: ListShape): FilterQuery<TenantRow>[] {
  return filters.flatMap(field => conditionsOn(field, query))
}

function conditionsOn(field: Field, query: ListQuery): object[] {
  const { name } = field
  const conditions: object[] = []
  if (query[name] !== undefined) conditions.push({ [name]: valueIn(field, query[name]) })
  const list = query[`${name}.in`]
  if (typeof list === 'string') conditions.push({ [name]: { $in: list.split(',').map(value => oneOf(field, value)) } })
  for (const operator of operators) {
    const value = query[`${name}.${operator}`]
    if (value !== undefined) conditions.push({ [name]: { [`$${operator}` satisfies `$${Operator}`]: valueIn(field, value) } })
  }
  const isNull = query[`${name}.null`]
  if (isNull !== undefined) conditions.push({ [name]: isNull ? null : { $ne: null } })
  return conditions
}

function valueIn({ kind }: Field, value: string | number | boolean): unknown {
  if (kind === 'moment') return new Date(String(value))
  return kind === 'id' ? String(value).toLowerCase() : value
}

/** Each of a list is looked at like a value that stands alone. */
function oneOf(field: Field, value: string): unknown {
  const { pattern, enum: words } = field.asked as { pattern?: string; enum?: string[] }
  const isValid = (!pattern || new RegExp(pattern).test(value)) && (!words || words.includes(value))
  if (!isValid) throw invalidQuery(`${field.name}.in`, 'holds a value that this field can’t have')
  return valueIn(field, value)
}

export function invalidQuery(name: string, detail: string): RequestInvalidError {
  const part: InvalidPart = { pointer: `#/${name}`, detail, in: 'query' }
  return new RequestInvalidError([part])
}

export interface Order {
  readonly name: string
  readonly direction: 'asc' | 'desc'
}

export function orderIn({ sort = 'id' }: ListQuery): Order {
  const text = String(sort)
  return text.startsWith('-') ? { name: text.slice(1), direction: 'desc' } : { name: text, direction: 'asc' }
}

export function orderBy({ name, direction }: Order): QueryOrderMap<TenantRow> {
  return name === 'id' ? { id: direction } : { [name]: direction, id: direction }
}

/** What lies behind a row. PostgreSQL puts nothing last when it counts up, and first when it counts down. */
export function behind({ name, direction }: Order, { id, value }: Position): FilterQuery<TenantRow> {
  const further = direction === 'asc' ? '$gt' : '$lt'
  const sameButLater = { [name]: value ?? null, id: { [further]: id } }
  if (name === 'id') return { id: { [further]: id } }
  const others: object[] = []
  if (value !== null && value !== undefined) {
    others.push({ [name]: { [further]: value } })
    if (direction === 'asc') others.push({ [name]: null })
  } else if (direction === 'desc') others.push({ [name]: { $ne: null } })
  return { $or: [sameButLater, ...others] }
}
