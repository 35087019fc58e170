import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import type { TLocalizedValidationError } from 'typebox/error'
import { Format } from 'typebox/format'
import { deepestJson } from '../kernel/json-depth.ts'
import { type InvalidPart, RequestInvalidError } from './http.errors.ts'

const parts: Record<string, InvalidPart['in']> = { body: 'body', querystring: 'query', params: 'path', headers: 'headers' }
const unknownField = 'is not a field of this'

/** Refuses unknown fields instead of dropping them, converts only what arrives as text anyway, and repeats no value in its complaints. */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  Format.Set('instant', isInstant)
  // Compiled when it is first asked for: most processes serve few of their routes.
  let compiled: Validator | undefined
  const part = parts[httpPart ?? ''] ?? 'body'
  return (value: unknown) => {
    const type = (compiled ??= Compile(schema))
    const given = part === 'query' ? type.Convert(value) : value
    if (!type.Check(given)) return { error: new RequestInvalidError(complaintsAbout(type.Errors(given), part)) }
    const errors = unstorable(given, '#', part)
    return errors.length > 0 ? { error: new RequestInvalidError(errors) } : { value: given }
  }
}

export function tooDeep(): RequestInvalidError {
  return new RequestInvalidError([{ pointer: '#', detail: `is nested more than ${deepestJson} levels deep`, in: 'body' }])
}

/** A pattern says how it is written. Whether there is such a day, the calendar says: 30 February would be taken for 2 March. */
function isInstant(text: string): boolean {
  const day = text.slice(0, 10)
  const midnight = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day)
}

function complaintsAbout(errors: readonly TLocalizedValidationError[], part: InvalidPart['in']): InvalidPart[] {
  const each = errors.flatMap(error => complaints(error, part))
  return [...new Map(each.map(complaint => [`${complaint.pointer} ${complaint.detail}`, complaint])).values()]
}

function complaints(error: TLocalizedValidationError, part: InvalidPart['in']): InvalidPart[] {
  const at = `#${error.instancePath}`
  if (error.keyword === 'required') {
    return error.params.requiredProperties.map(name => ({ pointer: below(at, name), detail: 'is required', in: part }))
  }
  if (error.keyword === 'additionalProperties') {
    return error.params.additionalProperties.map(name => ({ pointer: below(at, name), detail: unknownField, in: part }))
  }
  // A field that isn't named also fails against the schema `false`, and the validator stops after a few errors.
  const place = { pointer: at.slice(0, 300), in: part }
  return [error.keyword === 'boolean' ? { ...place, detail: unknownField } : { ...place, detail: error.message, schemaError: error }]
}

/** PostgreSQL's text holds no NUL; half a surrogate pair would be stored as another character than was sent, and 1e400 as nothing. */
function unstorable(value: unknown, pointer: string, part: InvalidPart['in']): InvalidPart[] {
  if (typeof value === 'string') {
    return value.includes('\0') || !value.isWellFormed()
      ? [{ pointer, detail: 'must not hold NUL characters or broken Unicode', in: part }]
      : []
  }
  if (value === Infinity || value === -Infinity) return [{ pointer, detail: 'is too large a number', in: part }]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [
    ...unstorable(name, below(pointer, name), part),
    ...unstorable(inner, below(pointer, name), part),
  ])
}

function below(pointer: string, name: string): string {
  return `${pointer}/${name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

export const compileAllButBody: FastifySchemaCompiler<TSchema> = part => (part.httpPart === 'body' ? () => true : compileValidator(part))
