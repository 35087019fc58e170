import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { breakingChanges, type Description, type Operation } from './breaking-changes.ts'
import type { Schema } from './schema-changes.ts'

const operation = (more: Partial<Operation> = {}): Operation => ({ operationId: 'doIt', security: [{ key: [] }], responses: {}, ...more })
const described = (post: Operation | undefined, components: object = {}): Description => ({
  paths: { '/it': post ? { post } : {} },
  components,
})
const changes = (before: Operation, after?: Operation) => breakingChanges(described(before), described(after))

const takes = (schema: Schema) => operation({ requestBody: { required: true, content: { 'application/json': { schema } } } })
const answers = (schema: Schema) => operation({ responses: { 200: { content: { 'application/json': { schema } } } } })
const object = (properties: Record<string, Schema>, required: string[] = []): Schema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})
const nullable = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] })

const text = { type: 'string' } as const
const whole = { type: 'integer' } as const
const any = { type: 'number' } as const

/** From one schema to another: what breaks a request, and what breaks an answer. */
const kinds: [what: string, from: Schema, to: Schema, sent: string[], answered: string[]][] = [
  ['a field that goes', object({ a: text, b: text }), object({ a: text }), ['body no longer takes b'], ['200.b is gone']],
  ['a field that is required', object({ a: text }), object({ a: text }, ['a']), ['body.a is required now'], []],
  ['a field that is required no more', object({ a: text }, ['a']), object({ a: text }), [], ['200.a may be missing now']],
  ['a new field that is required', object({}), object({ a: text }, ['a']), ['body.a is required now'], []],
  ['a new field', object({}), object({ a: text }), [], []],
  ['a word that goes', { enum: ['A', 'B'] }, { enum: ['A'] }, ['body no longer takes "B"'], []],
  ['a new word', { enum: ['A'] }, { enum: ['A', 'B'] }, [], []],
  ['words where anything was', text, { type: 'string', enum: ['A'] }, ['body takes only certain values now'], []],
  ['anything where words were', { type: 'string', enum: ['A'] }, text, [], ['200 may now be anything']],
  ['another constant', { const: 'A' }, { const: 'B' }, ['body no longer takes "A"'], []],
  ['another type', text, whole, ['body no longer takes string'], ['200 may now be integer']],
  ['whole numbers only', any, whole, ['body no longer takes number'], []],
  ['nothing, too', text, nullable(text), [], ['200 may now be null']],
  ['nothing no more', nullable(text), text, ['body no longer takes null'], []],
  ['nothing, too, by a list of types', text, { type: ['string', 'null'] }, [], ['200 may now be null']],
  ['a type where anything was', {}, text, ['body no longer takes anything'], []],
  ['anything where a type was', text, {}, [], ['200 may now be anything']],
  ['a format', text, { type: 'string', format: 'uuid' }, ['body has another format'], []],
  ['a format no more', { type: 'string', format: 'uuid' }, text, [], ['200 has another format']],
  ['another pattern', { type: 'string', pattern: '^a' }, { type: 'string', pattern: '^b' }, ['body has another pattern'], []],
  ['a shorter text', { type: 'string', maxLength: 9 }, { type: 'string', maxLength: 8 }, ['body has a narrower maxLength'], []],
  ['a longer text', { type: 'string', maxLength: 8 }, { type: 'string', maxLength: 9 }, [], []],
  ['a limit where none was', whole, { type: 'integer', minimum: 1 }, ['body has a narrower minimum'], []],
  ['fewer things', { type: 'array', items: text }, { type: 'array', items: text, maxItems: 3 }, ['body has a narrower maxItems'], []],
  [
    'nothing twice',
    { type: 'array', items: text },
    { type: 'array', items: text, uniqueItems: true },
    ['body takes nothing twice now'],
    [],
  ],
  [
    'other things',
    { type: 'array', items: text },
    { type: 'array', items: whole },
    ['body[] no longer takes string'],
    ['200[] may now be integer'],
  ],
  [
    'unknown fields no more',
    { type: 'object' },
    { type: 'object', additionalProperties: false },
    ["body refuses fields that it doesn't know"],
    [],
  ],
  [
    'a field within a field',
    object({ a: object({ b: nullable(text) }) }),
    object({ a: object({ b: text }) }),
    ['body.a.b no longer takes null'],
    [],
  ],
]

describe('what breaks programs', () => {
  test.each(kinds)('%s', (_what, from, to, sent, answered) => {
    const [asRequest, asAnswer] = [changes(takes(from), takes(to)), changes(answers(from), answers(to))]
    expect(asRequest).toEqual(sent.map(sentence => `POST /it ${sentence}`))
    expect(asAnswer).toEqual(answered.map(sentence => `POST /it ${sentence}`))
    expect([...changes(takes(to), takes(to)), ...changes(answers(to), answers(to))]).toEqual([])
  })

  const query = { name: 'limit', in: 'query', schema: whole }
  const body = takes(text).requestBody!
  const operations: [what: string, from: Operation, to: Operation | undefined, sentences: string[]][] = [
    ['an operation that goes', operation(), undefined, ['is gone']],
    ['another operationId', operation(), operation({ operationId: 'doThat' }), ['has another operationId']],
    ['other credentials', operation(), operation({ security: [{ session: [] }] }), ['asks for other credentials']],
    ['a parameter that goes', operation({ parameters: [query] }), operation(), ['query limit is gone']],
    ['a new parameter', operation(), operation({ parameters: [query] }), []],
    [
      'a new parameter that is required',
      operation(),
      operation({ parameters: [{ ...query, required: true }] }),
      ['query limit is required now'],
    ],
    [
      'a narrower parameter',
      operation({ parameters: [query] }),
      operation({ parameters: [{ ...query, schema: { ...whole, maximum: 9 } }] }),
      ['query limit has a narrower maximum'],
    ],
    ['a body where none was', operation(), operation({ requestBody: body }), ['needs a body now']],
    ['no body where one was', operation({ requestBody: body }), operation(), ['takes no body any more']],
    [
      'another type of body',
      operation({ requestBody: body }),
      operation({ requestBody: { ...body, content: {} } }),
      ['body as application/json is gone'],
    ],
    ['a status that goes', answers(text), operation(), ['200 is gone']],
    ['a new status', operation(), answers(text), []],
    [
      'a header that goes',
      operation({ responses: { 200: { headers: { etag: {} } } } }),
      operation({ responses: { 200: {} } }),
      ['200 header etag is gone'],
    ],
  ]

  test.each(operations)('%s', (_what, from, to, sentences) => {
    expect(changes(from, to)).toEqual(sentences.map(sentence => `POST /it ${sentence}`))
  })

  test('a path that goes', () => {
    expect(breakingChanges(described(operation()), { paths: {} })).toEqual(['POST /it is gone'])
  })

  test('what is said by reference', () => {
    const [before, after] = [{ schemas: { It: object({ a: text }) } }, { schemas: { It: object({}) } }]
    const refers = answers({ $ref: '#/components/schemas/It' })
    expect(breakingChanges(described(refers, before), described(refers, after))).toEqual(['POST /it 200.a is gone'])
  })

  test('in the real description, is found where it is and nowhere else', () => {
    const real = readFileSync('docs/openapi.json', 'utf8')
    const [before, after] = [JSON.parse(real), JSON.parse(real)] as [Description, Description]
    expect(breakingChanges(before, after)).toEqual([])
    const { properties } = (after.components as { schemas: { Tasks: { properties: Record<string, unknown> } } }).schemas.Tasks
    delete properties.title
    const found = breakingChanges(before, after)
    expect(found).toContain('GET /organizations/{organization}/tasks/{id} 200.title is gone')
    expect(found.every(sentence => sentence.includes('/tasks') && sentence.endsWith('title is gone'))).toBe(true)
  })
})
