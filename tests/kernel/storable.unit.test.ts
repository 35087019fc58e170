import { describe, expect, test } from 'vitest'
import { messageOf } from '../../src/kernel/error.ts'
import { storableJson, storableText } from '../../src/kernel/storable.ts'

describe('what can be stored', () => {
  test('of a text is what isn’t NUL, nor half a character', () => {
    expect(storableText('a\0b \ud800 \udc00 \u{1f600}')).toBe('ab \ufffd \ufffd \u{1f600}')
  })

  test('of a value are its texts and names, at any depth', () => {
    const value = { 'a\0': ['\ud800', { b: 'c\0d' }], at: new Date(0), none: undefined, no: null, n: Number.NaN, yes: true }
    expect(storableJson(value)).toEqual({ a: ['\ufffd', { b: 'cd' }], at: '1970-01-01T00:00:00.000Z', no: null, n: null, yes: true })
  })

  test('of nothing is null', () => {
    expect([undefined, null, () => 1].map(storableJson)).toEqual([null, null, null])
  })

  test('is a text that only looks like an escaped NUL', () => {
    expect(storableJson({ text: '\\u0000' })).toEqual({ text: '\\u0000' })
  })

  test('isn’t what JSON can’t tell', () => {
    const round: { self?: unknown } = {}
    round.self = round
    for (const value of [1n, { deep: [1n] }, round]) expect(() => storableJson(value)).toThrow(TypeError)
  })

  test('of an error is what it says', () => {
    expect([new Error('no\0'), 'not \ud800', 7].map(messageOf)).toEqual(['no', 'not \ufffd', '7'])
  })
})
