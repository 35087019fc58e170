import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'

/** What is wrong with a value, place by place; enough to mend it by, and no more. */
export function schemaProblems(schema: TSchema, value: unknown): string[] {
  return Value.Errors(schema, value)
    .slice(0, 20)
    .map(({ instancePath, message }) => `${instancePath || '/'} ${message}`)
}
