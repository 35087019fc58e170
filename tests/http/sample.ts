/** As much of JSON Schema as the host's routes use. */
export interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly pattern?: string
  readonly description?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minProperties?: number
}

const words = [
  'a valid word',
  '01890a5d-ac96-774b-bcce-b302099a8057',
  '2026-11-24T08:00:00Z',
  'EUR',
  'KEY',
  'slug',
  'task:read',
  'task.created',
  'a-token-that-is-long-enough',
  'abc.def',
]

/** Something that a schema takes: what it requires and no more. */
export function sampleOf(schema: Schema): unknown {
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  if (schema.anyOf) return sampleOf(schema.anyOf[0]!)
  if (schema.type === 'object') return objectOf(schema)
  if (schema.type === 'array') return Array.from({ length: schema.minItems ?? 0 }, () => sampleOf(schema.items!))
  if (schema.type === 'integer' || schema.type === 'number') return Math.max(schema.minimum ?? 1, 1)
  if (schema.type === 'boolean') return true
  if (schema.type === 'string') return textOf(schema)
  return {}
}

function objectOf({ properties = {}, required = [], minProperties = 0 }: Schema): object {
  const names = new Set([...required, ...Object.keys(properties).slice(0, minProperties)])
  return Object.fromEntries([...names].map(name => [name, sampleOf(properties[name]!)]))
}

function textOf({ pattern = '', minLength = 0, maxLength = Infinity }: Schema): string {
  const found = words.find(word => new RegExp(pattern).test(word) && word.length >= minLength && word.length <= maxLength)
  if (found === undefined) throw new Error(`No word matches ${pattern}: add one.`)
  return found
}
