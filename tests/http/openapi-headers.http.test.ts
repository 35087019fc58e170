import type { LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ActionHost, base } from './action-host.ts'
import { Caller, password } from './test-host.ts'

interface Answer {
  readonly $ref?: string
  readonly headers?: Readonly<Record<string, unknown>>
}
interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly responses: Readonly<Record<string, Answer>>
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly headers: object; readonly responses: Readonly<Record<string, Answer>> }
}

let here: ActionHost
let document: Document
beforeAll(async () => {
  here = await ActionHost.open()
  document = (await here.ann.caller.get('/openapi.json')).json<Document>()
})
afterAll(() => here[Symbol.asyncDispose]())

const tenant = '/organizations/{organization}'
const operationAt = (method: string, path: string) => document.paths[path]![method.toLowerCase()]!

function describedFor(operation: Operation, status: number): string[] {
  const answer = operation.responses[status] ?? operation.responses.default!
  const { headers = {} } = answer.$ref ? document.components.responses[answer.$ref.split('/').at(-1)!]! : answer
  return Object.keys(headers)
}

/** What an answer has of all that is described of any, and isn't described of it. */
function untold(operation: Operation, { statusCode, headers }: LightMyRequestResponse): string[] {
  const described = describedFor(operation, statusCode)
  return Object.keys(document.components.headers).filter(name => headers[name] !== undefined && !described.includes(name))
}

test('what answers have in their headers is described', async () => {
  const { ann, on } = here
  const task = await here.made('tasks', { title: 'Described' })
  const upload = { payload: 'words', headers: { 'content-type': 'text/plain', 'sec-fetch-site': 'same-origin' } }
  const uploaded = (await ann.caller.call('POST', `${base}/documents?title=a`, upload)).json<{ id: string }>()
  const uploadOnce = { ...upload, headers: { ...upload.headers, 'idempotency-key': 'a file' } }
  const credentials = { email: 'ann@acme.example', password }
  const key = { 'idempotency-key': 'described' }
  const at = `${base}/tasks/${task.id}`
  const file = `${base}/documents/${uploaded.id}/file`
  const calls = [
    ['GET', '/tasks/{id}', at, {}, 200, ['etag']],
    ['GET', '/tasks/{id}', at, { headers: { 'if-none-match': '*' } }, 304, ['etag']],
    ['PATCH', '/tasks/{id}', at, { payload: { title: 'b' }, headers: { 'if-match': '*' } }, 200, ['etag']],
    ['PATCH', '/tasks/{id}', at, { payload: { title: 'b' }, headers: { 'if-match': '"7"' } }, 412, ['content-language']],
    ['POST', '/tasks/{id}/start', `${at}/start`, {}, 200, ['etag']],
    ['POST', '/tasks', `${base}/tasks`, { payload: { title: 'c' }, headers: key }, 201, ['etag', 'location']],
    ['POST', '/tasks', `${base}/tasks`, { payload: { title: 'c' }, headers: key }, 201, ['etag', 'location', 'idempotency-replayed']],
    ['POST', '/documents', `${base}/documents?title=a`, upload, 200, ['etag', 'location']],
    ['POST', '/documents', `${base}/documents?title=a`, uploadOnce, 200, ['etag', 'location']],
    ['POST', '/documents', `${base}/documents?title=a`, uploadOnce, 200, ['etag', 'location', 'idempotency-replayed']],
    ['GET', '/documents/{id}/file', file, {}, 200, ['etag', 'content-disposition', 'accept-ranges']],
    ['GET', '/documents/{id}/file', file, { headers: { range: 'bytes=0-1' } }, 206, ['content-range', 'etag']],
    ['GET', '/events/export', `${base}/events/export`, {}, 200, ['content-disposition']],
  ] as const
  for (const [method, path, url, options, status, names] of calls) {
    const answer = await ann.caller.call(method, url, options)
    expect([path, answer.statusCode, Object.keys(answer.headers)]).toEqual([path, status, expect.arrayContaining([...names])])
    expect([path, status, untold(operationAt(method, tenant + path), answer)]).toEqual([path, status, []])
  }
  const stranger = await new Caller(on).get(at)
  expect([stranger.headers['www-authenticate'], untold(operationAt('GET', `${tenant}/tasks/{id}`), stranger)]).toEqual([
    expect.any(String),
    [],
  ])
  const signedIn = await new Caller(on).post('/auth/sign-in', credentials)
  expect([signedIn.headers['set-cookie'], untold(operationAt('POST', '/auth/sign-in'), signedIn)]).toEqual([expect.any(String), []])
})

test('what is read from the headers of a request is described, whether a schema looks at it or not', () => {
  const read = (method: string, path: string) =>
    (operationAt(method, tenant + path).parameters ?? []).filter(each => each.in === 'header').map(({ name }) => name)
  expect(read('GET', '/events/live')).toContain('last-event-id')
  expect(read('GET', '/documents/{id}/file')).toEqual(['if-none-match', 'range', 'if-range'])
  expect(read('POST', '/tasks/{id}/start')).toEqual(['idempotency-key', 'if-match'])
  expect(read('POST', '/api-keys')).toEqual(['idempotency-key'])
  expect(read('POST', '/documents')).toEqual(['idempotency-key'])
})
