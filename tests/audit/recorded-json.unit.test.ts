import { expect, test } from 'vitest'
import { exactJson } from '../../src/audit/index.ts'

test('a number that JavaScript would round is read as a string, wherever it stands, and every other one as itself', () => {
  const text = `{"a": 9007199254740993, "b": -9007199254740993, "c": [{"d": 12345678901234567890}], "e": 9007199254740991, "f": -7, "g": 1.5,
    "h": 0.1234567890123456, "i": "9007199254740993", "j": 999999999999999, "k": 1e300}`
  expect(exactJson(text)).toStrictEqual({
    a: '9007199254740993',
    b: '-9007199254740993',
    c: [{ d: '12345678901234567890' }],
    e: 9007199254740991,
    f: -7,
    g: 1.5,
    h: 0.1234567890123456,
    i: '9007199254740993',
    j: 999999999999999,
    k: 1e300,
  })
})

test('a text without such a number is read alike', () => {
  expect(exactJson('{"a": 999999999999999, "b": {"c": [true, null, "x"]}}')).toStrictEqual({
    a: 999999999999999,
    b: { c: [true, null, 'x'] },
  })
  expect(exactJson(null)).toBeNull()
})

test('in a document a large number of few digits stays the number that somebody put there, a column’s is a string', () => {
  const digits = `1${'0'.repeat(30)}`
  expect(exactJson(`{"column": ${digits}, "document": {"in": [${digits}, -12345678901234567000]}}`)).toStrictEqual({
    column: digits,
    document: { in: [1e30, -12345678901234567000] },
  })
})
