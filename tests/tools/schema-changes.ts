/** As much of JSON Schema as descriptions of the API use. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly pattern?: string
  readonly format?: string
  readonly uniqueItems?: boolean
  readonly [limit: `min${string}` | `max${string}`]: number
}

/** Where a value goes: what is sent must still be taken, what is answered must still be what was promised. */
export type Direction = 'request' | 'response'

export interface Comparison {
  readonly direction: Direction
  /** What a reference stands for, before and after. */
  readonly before: (schema: Schema) => Schema
  readonly after: (schema: Schema) => Schema
}

/** What of a change breaks those who knew the schema as it was before, in a sentence each. */
export function schemaChanges(before: Schema, after: Schema, at: string, how: Comparison): string[] {
  const [then, now] = [alternativesOf(how.before(before)), alternativesOf(how.after(after))]
  const [each, among] = how.direction === 'request' ? [then, now] : [now, then]
  return each.flatMap(one => {
    const pairs = among.filter(other => holds(typeOf(other), typeOf(one)))
    const found = pairs.map(other => (how.direction === 'request' ? changesOf(one, other, at, how) : changesOf(other, one, at, how)))
    return found.toSorted((a, b) => a.length - b.length)[0] ?? [`${at} ${verb(how)} ${typeOf(one)}`]
  })
}

const verb = ({ direction }: Comparison) => (direction === 'request' ? 'no longer takes' : 'may now be')

function alternativesOf(schema: Schema): readonly Schema[] {
  if (schema.anyOf) return schema.anyOf.flatMap(alternativesOf)
  return Array.isArray(schema.type) ? schema.type.map(type => ({ ...schema, type })) : [schema]
}

/** Whole numbers are numbers, and not the other way round. */
function holds(type: string, other: string): boolean {
  return type === other || type === 'anything' || (type === 'number' && other === 'integer')
}

function typeOf({ type, enum: words, const: word, properties }: Schema): string {
  if (type !== undefined) return String(type)
  const value = word ?? words?.[0]
  if (value === undefined) return properties ? 'object' : 'anything'
  return value === null ? 'null' : typeof value
}

function changesOf(before: Schema, after: Schema, at: string, how: Comparison): string[] {
  const parts = [enumChanges, formatChanges, propertyChanges, ...(how.direction === 'request' ? [limitChanges] : [])]
  const inside = before.items && after.items ? schemaChanges(before.items, after.items, `${at}[]`, how) : []
  return [...parts.flatMap(part => part(before, after, at, how)), ...inside]
}

const wordsOf = (schema: Schema) => schema.enum ?? ('const' in schema ? [schema.const] : undefined)

/** Whoever reads answers has to expect a word that they don't know; whoever sends one relies on its being taken. */
function enumChanges(before: Schema, after: Schema, at: string, { direction }: Comparison): string[] {
  const [then, now] = [wordsOf(before), wordsOf(after)]
  if (direction === 'response') return then && !now ? [`${at} may now be anything`] : []
  if (!now) return []
  if (!then) return [`${at} takes only certain values now`]
  return then.filter(word => !now.includes(word)).map(word => `${at} no longer takes ${JSON.stringify(word)}`)
}

function formatChanges(before: Schema, after: Schema, at: string, { direction }: Comparison): string[] {
  const names = direction === 'request' ? (['format', 'pattern'] as const) : (['format'] as const)
  return names.flatMap(name => {
    const isLooser = direction === 'request' ? after[name] === undefined : before[name] === undefined
    return before[name] === after[name] || isLooser ? [] : [`${at} has another ${name}`]
  })
}

function limitChanges(before: Schema, after: Schema, at: string): string[] {
  const limits = Object.keys(after).filter(name => /^(min|max)/.test(name)) as `min${string}`[]
  const tighter = limits.filter(name => {
    const [then, now] = [before[name], after[name]]
    return then === undefined ? !(name.startsWith('min') && now === 0) : name.startsWith('min') ? now! > then : now! < then
  })
  const sentences = tighter.map(name => `${at} has a narrower ${name}`)
  return after.uniqueItems && !before.uniqueItems ? [...sentences, `${at} takes nothing twice now`] : sentences
}

function propertyChanges(before: Schema, after: Schema, at: string, how: Comparison): string[] {
  const [then, now] = [before.properties ?? {}, after.properties ?? {}]
  const removed = Object.keys(then).filter(name => !Object.hasOwn(now, name) && !(how.direction === 'request' && isOpen(after)))
  const shared = Object.keys(then).filter(name => Object.hasOwn(now, name))
  return [
    ...removed.map(name => (how.direction === 'request' ? `${at} no longer takes ${name}` : `${at}.${name} is gone`)),
    ...requirementChanges(before, after, at, how),
    ...(how.direction === 'request' && isOpen(before) && !isOpen(after) && hasFields(after)
      ? [`${at} refuses fields that it doesn't know`]
      : []),
    ...shared.flatMap(name => schemaChanges(then[name]!, now[name]!, `${at}.${name}`, how)),
  ]
}

const isOpen = ({ additionalProperties }: Schema) => additionalProperties !== false
const hasFields = ({ type, properties }: Schema) => type === 'object' || properties !== undefined

function requirementChanges(before: Schema, after: Schema, at: string, { direction }: Comparison): string[] {
  const [then, now] = [new Set(before.required), new Set(after.required)]
  if (direction === 'request') return [...now].filter(name => !then.has(name)).map(name => `${at}.${name} is required now`)
  const still = Object.keys(after.properties ?? {})
  return [...then].filter(name => !now.has(name) && still.includes(name)).map(name => `${at}.${name} may be missing now`)
}
