import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const limit = 400
const reason = /^\/\*\* Long because \w/

/** Migrations are generated, and never edited once they are released. */
const frozen = /^migrations\/Migration\d/

const files = globSync('{build,src,tests,bench,seeders,migrations,examples}/**/*.ts').map(file => file.replaceAll('\\', '/'))
const isTooLong = (text: string) => text.trimEnd().split('\n').length > limit && !reason.test(text)

test(`a file of more than ${limit} lines says at its top why`, () => {
  expect(files.length).toBeGreaterThan(600)
  expect(files.filter(file => !frozen.test(file) && isTooLong(readFileSync(file, 'utf8')))).toEqual([])
})

test('what is too long is known by its lines, and excused by a reason at its top alone', () => {
  const lines = (count: number) => 'x\n'.repeat(count)
  expect(isTooLong(lines(limit))).toBe(false)
  expect(isTooLong(lines(limit + 1))).toBe(true)
  expect(isTooLong(`/** Long because its table is one. */\n${lines(limit)}`)).toBe(false)
  expect(isTooLong(`/** Long because */\n${lines(limit)}`)).toBe(true)
  expect(isTooLong(`${lines(limit)}/** Long because its table is one. */\n`)).toBe(true)
})
