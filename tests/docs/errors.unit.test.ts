import { readFile } from 'node:fs/promises'
import { globSync } from 'node:fs'
import { expect, test } from 'vitest'
import { knownCodes, statusOfCode } from '../../src/http/index.ts'

const sources = await Promise.all(globSync('{src,seeders}/**/*.ts').map(file => readFile(file, 'utf8')))
const raised = sources.flatMap(source =>
  [...source.matchAll(/^ {2}(?:override )?readonly code(?:: \w+)? = '([^']+)'/gm)].map(([, code]) => code!),
)
const page = await readFile('docs/errors.md', 'utf8')
const documented = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, code]) => code!)
const sorted = (codes: Iterable<string>) => [...new Set(codes)].toSorted((a, b) => (a < b ? -1 : 1))

test('each of our errors has a code, unique and shaped area.what_happened', () => {
  const classes = sources.flatMap(source => source.match(/^(?:export )?class \w+ extends DaybookError\b/gm) ?? [])
  expect(raised).toHaveLength(classes.length)
  expect(new Set(raised).size).toBe(raised.length)
  for (const code of raised) expect(code).toMatch(/^[a-z_]+\.[a-z_]+$/)
})

test('every code that somebody may meet is documented, and nothing else is', () => {
  expect(documented).toHaveLength(new Set(documented).size)
  // Codes that the host gives to errors of the ORM and of Fastify have no class of their own.
  expect(sorted(documented)).toEqual(sorted([...raised, ...knownCodes().filter(code => code !== 'internal')]))
})

test('the host has a status for every code', () => {
  expect(raised.filter(code => statusOfCode(code) === undefined)).toEqual([])
})
