import { type Comparison, type Direction, type Schema, schemaChanges } from './schema-changes.ts'

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema: Schema
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>

interface Response {
  readonly $ref?: string
  readonly content?: Content
  readonly headers?: Readonly<Record<string, unknown>>
}

export interface Operation {
  readonly operationId?: string
  readonly security?: readonly unknown[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Content }
  readonly responses?: Readonly<Record<string, Response>>
}

export interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components?: unknown
}

/** What of a newer description breaks programs that were written for the older one, in a sentence each. Whatever is added breaks none. */
export function breakingChanges(before: Description, after: Description): string[] {
  const how = (direction: Direction): Comparison => ({
    direction,
    before: schema => resolved(schema, before),
    after: schema => resolved(schema, after),
  })
  const changes = Object.entries(before.paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, then]) => {
      const at = `${method.toUpperCase()} ${path}`
      const now = after.paths[path]?.[method]
      if (!now) return [`${at} is gone`]
      return [
        ...ruleChanges(then, now, at),
        ...parameterChanges(then.parameters ?? [], now.parameters ?? [], at, how('request')),
        ...bodyChanges(then.requestBody, now.requestBody, at, how('request')),
        ...responseChanges(then.responses ?? {}, now.responses ?? {}, at, how('response')),
      ]
    }),
  )
  return [...new Set(changes)]
}

function resolved<T extends { readonly $ref?: string }>(value: T, document: Description): T {
  if (value.$ref === undefined) return value
  const names = value.$ref.split('/').slice(1)
  const target = names.reduce<unknown>((inner, name) => (inner as Record<string, unknown>)[name], document)
  return resolved(target as T, document)
}

function ruleChanges(before: Operation, after: Operation, at: string): string[] {
  return [
    ...(before.operationId === after.operationId ? [] : [`${at} has another operationId`]),
    ...(JSON.stringify(before.security) === JSON.stringify(after.security) ? [] : [`${at} asks for other credentials`]),
  ]
}

function parameterChanges(before: readonly Parameter[], after: readonly Parameter[], at: string, how: Comparison): string[] {
  const same = (one: Parameter) => (other: Parameter) => one.name === other.name && one.in === other.in
  const known = before.flatMap(then => {
    const now = after.find(same(then))
    const place = `${at} ${then.in} ${then.name}`
    if (!now) return [`${place} is gone`]
    return [...(now.required && !then.required ? [`${place} is required now`] : []), ...schemaChanges(then.schema, now.schema, place, how)]
  })
  const added = after.filter(now => now.required && !before.some(same(now)))
  return [...known, ...added.map(now => `${at} ${now.in} ${now.name} is required now`)]
}

function bodyChanges(before: Operation['requestBody'], after: Operation['requestBody'], at: string, how: Comparison): string[] {
  if (!after) return before ? [`${at} takes no body any more`] : []
  const isNeeded = after.required && !before?.required ? [`${at} needs a body now`] : []
  return [...isNeeded, ...contentChanges(before?.content ?? {}, after.content, `${at} body`, how)]
}

function responseChanges(
  before: Readonly<Record<string, Response>>,
  after: Readonly<Record<string, Response>>,
  at: string,
  how: Comparison,
): string[] {
  return Object.entries(before).flatMap(([status, response]) => {
    const place = `${at} ${status}`
    const given = after[status]
    if (!given) return [`${place} is gone`]
    const [then, now] = [how.before(response as Schema) as Response, how.after(given as Schema) as Response]
    const headers = Object.keys(then.headers ?? {}).filter(name => !Object.hasOwn(now.headers ?? {}, name))
    return [...headers.map(name => `${place} header ${name} is gone`), ...contentChanges(then.content ?? {}, now.content ?? {}, place, how)]
  })
}

function contentChanges(before: Content, after: Content, at: string, how: Comparison): string[] {
  return Object.entries(before).flatMap(([type, { schema = {} }]) => {
    const now = after[type]
    return now ? schemaChanges(schema, now.schema ?? {}, at, how) : [`${at} as ${type} is gone`]
  })
}
