import { readFileSync } from 'node:fs'
import { Value } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { catalogue } from '../../src/http/resources/index.ts'
import { createRow } from '../../src/testing/index.ts'
import { openapiText } from '../tools/openapi-text.ts'
import { Caller, collectionOf, openTestHost, type SignedUp, signUp, type TestHost } from './test-host.ts'
import { type Schema, sampleOf } from './sample.ts'

interface Operation {
  readonly operationId: string
  readonly responses: Readonly<Record<string, unknown>>
}
interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

let on: TestHost
let ann: SignedUp
let document: Document
/** A row of each resource, by the collection that it stands in. */
const rows: Record<string, string> = {}

beforeAll(async () => {
  on = await openTestHost()
  ann = await signUp(on, 'ann@acme.example', 'Acme')
  document = (await new Caller(on).get('/openapi.json')).json<Document>()
  for (const { entity } of Object.values(catalogue).flat()) {
    const { id } = await createRow(on.daybook, ann.organization, on.daybook.orm.getMetadata().get(entity))
    rows[collectionOf(on, entity)] = String(id)
  }
})
afterAll(() => on[Symbol.asyncDispose]())

const served = () =>
  on.routes.filter(
    ({ method, url }) => method !== 'HEAD' && method !== 'OPTIONS' && !url.startsWith('/docs') && url !== '/openapi.json' && url !== '*',
  )
const pathFor = (url: string) => url.replace(':organization', 'current').replace(':id', rows[url.split('/')[3] ?? ''] ?? ann.user)

describe('the description', () => {
  test('names every route, once, and what each may refuse', () => {
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({ path, method, ...operation })),
    )
    expect(document.openapi).toBe('3.1.0')
    expect(new Set(described.map(({ method, path }) => `${method.toUpperCase()} ${path}`))).toEqual(
      new Set(served().map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`)),
    )
    expect(new Set(described.map(({ operationId }) => operationId)).size).toBe(described.length)
    expect(described.every(({ responses }) => responses.default)).toBe(true)
    expect(described.length).toBeGreaterThan(450)
  })

  test('is the one that is checked in: `npm run docs:openapi` writes it anew', () => {
    expect(openapiText(document) === readFileSync('docs/openapi.json', 'utf8')).toBe(true)
  })

  test('can be browsed, by pages that ask nobody else for anything', async () => {
    const page = await new Caller(on).get('/docs/')
    expect([page.statusCode, page.headers['content-type']]).toEqual([200, expect.stringContaining('text/html') as string])
    expect(page.body).not.toMatch(/(src|href)="https?:/)
  })

  test('is not there for whoever wants none', async () => {
    await using quiet = await openTestHost({ docs: false })
    for (const url of ['/openapi.json', '/docs']) expect((await new Caller(quiet).get(url)).statusCode).toBe(404)
  })
})

test('every answer of a reading route is as it is described', { timeout: 120_000 }, async () => {
  let checked = 0
  for (const { url, query, response } of served().filter(
    ({ method, url: of }) => method === 'GET' && of.startsWith('/organizations/') && !of.includes('/events/'),
  )) {
    const asked = new URLSearchParams((query ? sampleOf(query) : {}) as Record<string, string>).toString()
    const answer = await ann.caller.get(`${pathFor(url)}${asked && `?${asked}`}`)
    expect([url, answer.statusCode]).toEqual([url, expect.toBeOneOf([200, 400, 404])])
    if (answer.statusCode !== 200 || !response) continue
    const problems = Value.Errors(response, answer.json()).map(({ instancePath, message }) => `${instancePath} ${message}`)
    expect([url, problems]).toEqual([url, []])
    checked++
  }
  expect(checked).toBeGreaterThan(150)
})

/** What the host's own log says about it. */
function whyFailed(requestId: string): string | undefined {
  return on.log
    .filter(line => line.includes(requestId))
    .map(line => (JSON.parse(line) as { err?: { message: string } }).err?.message)
    .find(Boolean)
}

const hostile = [
  null,
  [],
  {},
  '',
  'x\u0000y',
  '\uD800',
  '../../etc/passwd',
  "'; drop table task; --",
  '${7*7}',
  'x'.repeat(30_000),
  -1,
  1e308,
  0.5,
  true,
]

test('no body, however strange, is answered by a failure', { timeout: 240_000 }, async () => {
  let sent = 0
  const failed = new Set<string>()
  for (const { method, url, body } of served().filter(route => route.body && route.url.startsWith('/organizations/'))) {
    const sample = sampleOf(body as Schema) as Record<string, unknown>
    const names = Object.keys((body as Schema).properties ?? {})
    const strange = names.flatMap((name, index) =>
      [0, 1, 2].map(turn => ({ ...sample, [name]: hostile[(index * 3 + turn * 5 + sent) % hostile.length] })),
    )
    for (const payload of [sample, {}, ...strange]) {
      const answer = await ann.caller.call(method, pathFor(url), { payload, headers: { 'if-match': '*' } })
      sent++
      if (answer.statusCode >= 500) failed.add(`${method} ${url}: ${whyFailed(answer.json<{ requestId: string }>().requestId)}`)
    }
  }
  expect([...failed]).toEqual([])
  expect(sent).toBeGreaterThan(500)
})
