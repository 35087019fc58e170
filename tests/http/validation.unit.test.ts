import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { exactly } from '../../src/http/fields.ts'
import { RequestInvalidError } from '../../src/http/http.errors.ts'
import { momentField } from '../../src/http/resources/fields.ts'
import { compileValidator } from '../../src/http/validation.ts'

const schema = exactly({ name: Type.String(), 'a/b': Type.Optional(exactly({ n: Type.Integer() })) })

function validate(value: unknown, httpPart = 'body') {
  const result: unknown = compileValidator({ schema, method: 'POST', url: '/', httpPart })(value)
  return result as { value?: unknown; error?: RequestInvalidError }
}

test('what fits is passed on as it is', () => {
  expect(validate({ name: '😀', 'a/b': { n: 1 } })).toEqual({ value: { name: '😀', 'a/b': { n: 1 } } })
})

test('a complaint points at its place and repeats no value', () => {
  const { error } = validate({ 'a/b': { n: 'hunter2' }, extra: 'hunter2' })
  expect(error).toBeInstanceOf(RequestInvalidError)
  expect(JSON.stringify(error!.errors)).not.toContain('hunter2')
  expect(error!.errors.map(({ pointer, detail }) => `${pointer} ${detail}`).toSorted()).toEqual([
    '#/a~1b/n must be integer',
    '#/extra is not a field of this',
    '#/name is required',
  ])
})

test.each([1, 7, 8, 9, 50, 1000])('%i unknown fields beside a good one are refused', count => {
  const extra = Object.fromEntries(Array.from({ length: count }, (_, index) => [`x${index}`, 1]))
  expect(validate({ name: 'ok', ...extra }).error?.errors.length).toBeGreaterThan(0)
})

test.each(['\0', 'a\0b', '\ud800', 'x\udc00y'])('text that PostgreSQL can’t keep is refused: %j', text => {
  expect(validate({ name: text }).error?.errors).toEqual([
    { pointer: '#/name', detail: 'must not hold NUL characters or broken Unicode', in: 'body' },
  ])
})

test.each(['1e400', '-1e400'])('a number that would be kept as nothing is refused, however deep: %s', text => {
  const anything = compileValidator({ schema: exactly({ data: Type.Unknown() }), method: 'POST', url: '/', httpPart: 'body' })
  expect(anything(JSON.parse(`{ "data": { "amounts": [1, ${text}] } }`))).toMatchObject({
    error: { errors: [{ pointer: '#/data/amounts/1', detail: 'is too large a number', in: 'body' }] },
  })
})

test('text becomes a number in a query and nowhere else', () => {
  const numbers = exactly({ limit: Type.Integer() })
  const compiled = (httpPart: string) => compileValidator({ schema: numbers, method: 'GET', url: '/', httpPart })
  expect(compiled('querystring')({ limit: '5' })).toEqual({ value: { limit: 5 } })
  expect(compiled('body')({ limit: '5' })).toHaveProperty('error')
})

describe('an instant', () => {
  const moments = exactly({ at: Type.Union([momentField(), Type.Null()]) })
  const check = (at: unknown, httpPart = 'body') =>
    compileValidator({ schema: moments, method: 'POST', url: '/', httpPart })({ at }) as { value?: unknown; error?: RequestInvalidError }

  test.each([
    '2026-02-28T23:59:59Z',
    '2024-02-29T00:00:00Z',
    '2000-02-29T00:00+14:00',
    '2026-12-31T23:59:59.999999999-23:59',
    '0004-02-29T00:00:00Z',
  ])('%s is taken', at => {
    expect(check(at)).toEqual({ value: { at } })
    expect(check(at, 'querystring')).toEqual({ value: { at } })
  })

  test.each([
    '2026-02-30T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-04-31T12:00:00+02:00',
    '2026-06-31T12:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-10T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:60Z',
    '2026-01-01',
    'yesterday',
  ])('%j is none', at => {
    for (const part of ['body', 'querystring']) expect(check(at, part).error?.errors.map(({ pointer }) => pointer)).toContain('#/at')
  })
})
