import { connect, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestHost, type TestHost } from './test-host.ts'

let on: TestHost
let port: number

beforeAll(async () => {
  on = await openTestHost()
  await on.host.listen({ host: '127.0.0.1', port: 0 })
  port = (on.host.server.address() as AddressInfo).port
})
afterAll(() => on[Symbol.asyncDispose]())

/** What is answered to exactly this. */
async function send(text: string): Promise<{ readonly status: number; readonly head: string; readonly body: string }> {
  const socket = connect(port, '127.0.0.1')
  const ended = new Promise<void>(resolve => socket.once('close', () => resolve()))
  let answer = ''
  socket.setEncoding('utf8').on('data', part => (answer += part))
  socket.on('error', () => {})
  socket.write(text)
  await ended
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body }
}

test.each([
  ['more headers than are read', `GET /me HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'http.headers_too_large'],
  ['no HTTP', 'GE T /me HTTP/1.1\r\n\r\n', 400, 'http.invalid_request'],
  ['two lengths', 'POST /me HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n', 400, 'http.invalid_request'],
  ['two hosts', 'GET /health/live HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n', 400, 'http.invalid_request'],
  ['no host', 'GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'http.invalid_request'],
] as const)('%s is refused like everything else', async (_what, text, status, code) => {
  const answer = await send(text)
  expect(answer.head).toContain('content-type: application/problem+json')
  expect(answer.head).toContain('x-content-type-options: nosniff')
  const problem = JSON.parse(answer.body) as { requestId: string }
  expect([answer.status, problem]).toEqual([status, expect.objectContaining({ status, code })])
  expect(answer.head).toContain(`x-request-id: ${problem.requestId}`)
})

test('a request that never ends is told so, and cut off', { timeout: 30_000 }, async () => {
  const answer = await send('GET /me HTTP/1.1\r\nHost: a\r\nX-Slow: ')
  expect([answer.status, JSON.parse(answer.body)]).toMatchObject([408, { code: 'http.request_late' }])
})

test('what a host needn’t expect is passed over', async () => {
  const answer = await send('GET /health/live HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\nConnection: close\r\n\r\n')
  expect(answer.status).toBe(200)
})

test('whoever speaks HTTP/1.0 names no host', async () => {
  expect((await send('GET /health/live HTTP/1.0\r\n\r\n')).status).toBe(200)
})
