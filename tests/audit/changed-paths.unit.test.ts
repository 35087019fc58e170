import { expect, test } from 'vitest'
import { changedPaths } from '../../src/audit/changed-paths.ts'

const between = (before: unknown, after: unknown) => changedPaths('data', JSON.stringify(before), JSON.stringify(after))

test('what differs between two documents is told by its path, and arrays as wholes', () => {
  expect(between({ a: { b: 1, c: 2 }, list: [1] }, { a: { b: 2, c: 2 }, list: [2] })).toEqual(['data.a.b', 'data.list'])
  expect(between({ a: 1 }, { a: { b: 1 } })).toEqual(['data.a'])
  expect(between({}, { toString: 1, constructor: { x: 1 } })).toEqual(['data.toString', 'data.constructor'])
})

test.each(['a.b', '', '.', '__proto__'])('a key that no path can name is told by the document above it: %j', key => {
  const holding = (value: unknown) =>
    JSON.parse(`{"deep": {${JSON.stringify(key)}: ${JSON.stringify(value)}, "a": {"b": 1}, "c": 1}}`) as unknown
  expect(between(holding(1), holding(2))).toEqual(['data.deep'])
  expect(between({ deep: { a: { b: 1 }, c: 1 } }, holding({}))).toEqual(['data.deep'])
  expect(changedPaths('data', JSON.stringify(holding(1)), JSON.stringify(holding(1)).replace('"c":1', '"c":2'))).toEqual(['data.deep.c'])
})
