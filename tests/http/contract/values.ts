import fc from 'fast-check'
import type { Schema } from '../sample.ts'

export type Ids = Readonly<Record<string, string>>

interface Known {
  readonly own: Ids
  readonly foreign: Ids
}

const hostileWords = [
  '',
  ' ',
  'x\u0000y',
  '\uD800',
  '../../etc/passwd',
  "'; drop table task; --",
  '=HYPERLINK("http://example.com")',
  '${7*7}',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  '%00',
  '\u202Eabc',
  '😀'.repeat(40),
  'ﬃİ̇ß',
  'x'.repeat(3_000),
  '-1',
  '1e309',
  'NaN',
  'null',
  '9999-99-99T99:99:99Z',
  '0000-01-01T00:00:00Z',
  '2026-02-31T00:00:00Z',
  '00000000-0000-0000-0000-000000000000',
  'eyJpZCI6IjEifQ.AAAA',
]
export const hostileText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...hostileWords) },
  fc.string({ unit: 'binary', maxLength: 30 }),
)

const hostileValues: unknown[] = [null, [], {}, [[]], { toString: 1 }, -1, 0.5, 1e308, 2 ** 53, -(2 ** 63), true, 'x'.repeat(30_000)]
const hostile: fc.Arbitrary<unknown> = fc.oneof(fc.constantFrom(...hostileValues), hostileText, fc.jsonValue({ maxDepth: 4 }))

/** What a schema takes. A field that means another row gets one of one's own, now and then one of another tenant's. */
export function valueOf(schema: Schema, known: Known, name = ''): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(each => valueOf(each, known, name)))
  if (schema.type === 'object') return objectOf(schema, known)
  if (schema.type === 'array') {
    const { minItems = 0, maxItems = 3 } = schema
    return fc.uniqueArray(valueOf(schema.items ?? {}, known, name), {
      minLength: minItems,
      maxLength: Math.min(maxItems, minItems + 2),
      selector: JSON.stringify,
    })
  }
  if (schema.type === 'integer' || schema.type === 'number') return numberOf(schema)
  if (schema.type === 'boolean') return fc.boolean()
  if (schema.type === 'string') return textOf(schema, known, name)
  if (schema.type === 'null') return fc.constant(null)
  return fc.jsonValue({ maxDepth: 2 })
}

function objectOf({ properties = {}, required = [], minProperties = 0 }: Schema, known: Known): fc.Arbitrary<unknown> {
  const names = Object.keys(properties)
  const needed = new Set([...required, ...names.slice(0, minProperties)])
  const values = Object.fromEntries(names.map(name => [name, valueOf(properties[name]!, known, name)]))
  return fc.record(values, { requiredKeys: [...needed], noNullPrototype: true })
}

function numberOf({ type, minimum = -1_000_000, maximum = 1_000_000 }: Schema): fc.Arbitrary<number> {
  const edges = fc.constantFrom(minimum, maximum)
  const small = { min: Math.max(minimum, Math.min(0, maximum)), max: Math.min(maximum, Math.max(minimum, 100)) }
  const usual = type === 'integer' ? fc.integer(small) : fc.double({ ...small, noNaN: true })
  return fc.oneof({ weight: 4, arbitrary: usual }, edges)
}

function textOf(schema: Schema, known: Known, name: string): fc.Arbitrary<string> {
  const { pattern, minLength = 0, maxLength = 200 } = schema
  if (pattern?.startsWith('^[0-9a-fA-F]{8}-')) return idFor(name, known)
  if (pattern?.startsWith('^[0-9]{4}-')) return momentText
  if (/email/i.test(name)) return fc.integer({ min: 0 }).map(number => `somebody-${number}@example.com`)
  if (/url/i.test(name)) return fc.webUrl({ validSchemes: ['https'] })
  const fits = (text: string) => text.length >= minLength && text.length <= maxLength
  // Where the length isn't part of the pattern, hardly any word that matches would be long enough.
  const sized = pattern?.replace(/\+\$$/, `{${Math.max(minLength, 1)},${Math.min(maxLength, minLength + 20)}}$`)
  if (sized) return fc.stringMatching(new RegExp(sized)).filter(fits)
  return fc
    .string({ unit: 'grapheme', minLength: Math.max(minLength, 1), maxLength: Math.min(Math.max(maxLength, 1), minLength + 20) })
    .filter(fits)
}

const momentText = fc
  .date({ min: new Date('2000-01-01T00:00:00Z'), max: new Date('2099-01-01T00:00:00Z'), noInvalidDate: true })
  .map(date => date.toISOString())

/** `project` means one of `projects`, `stage` one of `pipeline-stages`. */
function idFor(name: string, { own, foreign }: Known): fc.Arbitrary<string> {
  const word = name.replace(/(\.\w+|Id)$/, '').toLowerCase()
  const meant = Object.keys(own).filter(path => path.replaceAll('-', '').replace(/ies$/, 'y').replace(/s$/, '').endsWith(word))
  const choices = meant.length > 0 && word !== '' ? meant : Object.keys(own)
  const of = (ids: Ids) => fc.constantFrom(...choices).map(path => ids[path]!)
  return fc.oneof({ weight: 6, arbitrary: of(own) }, of(foreign), fc.uuid())
}

/** A value with one thing wrong in it, as JSON: a field that is missing, unknown, or holds what it shouldn't. */
export function damaged(value: unknown, { properties = {} }: Schema): fc.Arbitrary<string> {
  const fields = Object.keys(properties)
  const whole = value as Readonly<Record<string, unknown>>
  const unknown = fc.constantFrom('__proto__', 'constructor', 'tenantId', 'id', 'toString', 'isAdmin')
  const replaced = (name: string, inner: unknown) =>
    `{${[...pairs(whole, name), `${JSON.stringify(name)}:${JSON.stringify(inner)}`].join(',')}}`
  const added = fc.tuple(unknown, hostile).map(([name, inner]) => replaced(name, inner))
  if (fields.length === 0) return added
  const field = fc.constantFrom(...fields)
  return fc.oneof(
    { weight: 5, arbitrary: fc.tuple(field, hostile).map(([name, inner]) => replaced(name, inner)) },
    field.map(name => `{${pairs(whole, name).join(',')}}`),
    added,
  )
}

/** Written by hand, for JSON.stringify would take `__proto__` for something else. */
function pairs(value: Readonly<Record<string, unknown>>, without: string): string[] {
  return Object.entries(value)
    .filter(([name]) => name !== without)
    .map(([name, inner]) => `${JSON.stringify(name)}:${JSON.stringify(inner)}`)
}
