import type { LightMyRequestResponse } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import type { Schema } from '../sample.ts'

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema: Schema
}

interface Response {
  readonly content?: Readonly<Record<string, { readonly schema: TSchema }>>
}

export interface Operation {
  readonly method: string
  readonly path: string
  /** Whether it asks for no credential: a door for strangers is nobody's alone. */
  readonly isOpen: boolean
  readonly parameters: readonly Parameter[]
  readonly body?: Schema
  readonly responses: Readonly<Record<string, Response>>
}

interface Described {
  readonly security?: readonly unknown[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<Record<string, Response>>
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>
  readonly 'x-problem-statuses': Readonly<Record<string, number>>
}

export function operationsIn(document: Document): Operation[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => {
      const { parameters = [], requestBody, responses, security } = resolved(operation, document) as Described
      const body = requestBody?.content['application/json']?.schema
      return { method: method.toUpperCase(), path, isOpen: security?.length === 0, parameters, responses, ...(body && { body }) }
    }),
  )
}

/** Everything in the place where it is referred to. */
function resolved(value: unknown, document: Document): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(item => resolved(item, document))
  if ('$ref' in value) return resolved(targetOf(String(value.$ref), document), document)
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, resolved(inner, document)]))
}

function targetOf(reference: string, document: Document): unknown {
  const names = reference.split('/').slice(1)
  return names.reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], document)
}

const compiled = new Map<TSchema, Validator>()

/** What is wrong with an answer by the description of its operation; nothing if all is well. */
export function complaintAbout(answer: LightMyRequestResponse, { responses }: Operation, document: Document): string | undefined {
  const { statusCode: status, body } = answer
  if (status >= 500 && !responses[status]) return `failed with ${status}: ${body.slice(0, 300)}`
  const response = responses[status] ?? (status >= 400 ? responses.default : undefined)
  if (!response) return `answered ${status}, which isn't described`
  if (!response.content) return body === '' ? undefined : `answered ${status} with a body, which isn't described`
  const type = String(answer.headers['content-type']).split(';', 1)[0]!
  const schema = response.content[type]?.schema
  if (!schema) return `answered ${status} as ${type}, which isn't described`
  if (!type.endsWith('json') || type.endsWith('ndjson')) return undefined
  const value: unknown = answer.json()
  return complaintBySchema(value, schema) ?? (type.includes('problem') ? complaintAboutProblem(value, status, document) : undefined)
}

function complaintBySchema(value: unknown, schema: TSchema): string | undefined {
  const validator = compiled.get(schema) ?? Compile(schema)
  compiled.set(schema, validator)
  if (validator.Check(value)) return undefined
  const problems = validator.Errors(value).map(({ instancePath, message }) => `${instancePath} ${message}`)
  return `answered what isn't described: ${problems.slice(0, 5).join(', ')}`
}

function complaintAboutProblem(value: unknown, answered: number, document: Document): string | undefined {
  const { code, status } = value as { code: string; status: number }
  if (status !== answered) return `answered ${answered} with a problem that says ${status}`
  return document['x-problem-statuses'][code] === status ? undefined : `answered ${code} with ${status}, which isn't its status`
}
