import { readFileSync } from 'node:fs'
import { Value } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openapiText } from '../tools/openapi-text.ts'
import { Caller, collectionOf, openTestHost, rowFor, type SignedUp, signUp, type TestHost, wholeResources } from './test-host.ts'
import { sampleOf } from './sample.ts'

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
  for (const { entity } of wholeResources) {
    rows[collectionOf(on, entity)] = await rowFor(on, ann, entity)
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
    const isJson = String(answer.headers['content-type']).startsWith('application/json')
    if (answer.statusCode !== 200 || !response || !isJson) continue
    const problems = Value.Errors(response, answer.json()).map(({ instancePath, message }) => `${instancePath} ${message}`)
    expect([url, problems]).toEqual([url, []])
    checked++
  }
  expect(checked).toBeGreaterThan(150)
})
