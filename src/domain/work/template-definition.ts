import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { schemaProblems } from '../../kernel/schema-problems.ts'
import { TemplateDataError, TemplateInvalidError } from './work.errors.ts'

const Text = (maxLength: number) => Type.String({ minLength: 1, maxLength })

/** One thing to fill in: JSON Schema, without patterns and references, which could keep a process busy for ever. */
const Field = Type.Object(
  {
    type: Type.Union([Type.Literal('string'), Type.Literal('number'), Type.Literal('integer'), Type.Literal('boolean')]),
    title: Type.Optional(Text(200)),
    enum: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Number()]), { minItems: 1, maxItems: 100 })),
    format: Type.Optional(Type.Union([Type.Literal('date'), Type.Literal('date-time'), Type.Literal('email'), Type.Literal('uri')])),
    minLength: Type.Optional(Type.Integer({ minimum: 0 })),
    maxLength: Type.Optional(Type.Integer({ minimum: 0 })),
    minimum: Type.Optional(Type.Number()),
    maximum: Type.Optional(Type.Number()),
  },
  { additionalProperties: false },
)

export const TemplateDefinition = Type.Object(
  {
    /** May name fields: `Call {{name}} back`. */
    title: Text(200),
    description: Type.Optional(Text(10_000)),
    /** What has to be filled in. */
    schema: Type.Object(
      {
        type: Type.Literal('object'),
        properties: Type.Record(Type.String({ pattern: '^[a-zA-Z][a-zA-Z0-9_]{0,62}$' }), Field),
        required: Type.Optional(Type.Array(Type.String(), { uniqueItems: true })),
        additionalProperties: Type.Optional(Type.Literal(false)),
      },
      { additionalProperties: false },
    ),
    checklist: Type.Optional(Type.Array(Text(200), { maxItems: 100 })),
  },
  { additionalProperties: false },
)
export type TemplateDefinition = Static<typeof TemplateDefinition>

/** Everything that is wrong with it at once, so that nobody mends it one error at a time. */
export function assertDefinition(definition: unknown): asserts definition is TemplateDefinition {
  if (!Value.Check(TemplateDefinition, definition)) throw new TemplateInvalidError(schemaProblems(TemplateDefinition, definition))
  const { title, schema } = definition
  const known = Object.keys(schema.properties)
  const unknown = [...namesIn(title), ...(schema.required ?? [])].filter(name => !known.includes(name))
  if (unknown.length > 0) throw new TemplateInvalidError([...new Set(unknown)].map(name => `there is no field ${name}`))
}

export function assertFillsIn(template: string, { schema }: TemplateDefinition, data: Record<string, unknown>): void {
  const strict = { ...schema, additionalProperties: false } as unknown as Type.TSchema
  if (!Value.Check(strict, data)) throw new TemplateDataError(template, schemaProblems(strict, data))
}

/** The title with what was filled in, which `assertFillsIn` has looked at. */
export function filledIn(text: string, data: Record<string, unknown>): string {
  const values = data as Record<string, string | number | boolean | undefined>
  return text.replaceAll(placeholder, (_whole, name: string) => String(values[name] ?? ''))
}

const placeholder = /\{\{\s*([a-zA-Z]\w*)\s*\}\}/g

function namesIn(text: string): string[] {
  return [...text.matchAll(placeholder)].map(([, name]) => name!)
}
