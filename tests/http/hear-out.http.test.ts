import { once } from 'node:events'
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

const megabyte = Buffer.alloc(1_000_000, 'a')

/** What a proxy does that passes files on as they come: it writes to the end, or until it can't, and only then reads what was answered. */
async function sendThenRead(head: string, megabytes: number): Promise<string> {
  const socket = connect(port, '127.0.0.1').pause()
  const broken = once(socket, 'error').then(([error]: Error[]) => Promise.reject(error!))
  broken.catch(() => {})
  socket.write(`${head}\r\nHost: a\r\nConnection: close\r\nContent-Length: ${megabytes * megabyte.length}\r\n\r\n`)
  for (let sent = 0; sent < megabytes; sent++) if (!socket.write(megabyte)) await Promise.race([once(socket, 'drain'), broken])
  let answer = ''
  socket
    .setEncoding('utf8')
    .on('data', part => (answer += part))
    .resume()
  await Promise.race([once(socket, 'close'), broken])
  return answer
}

test.each([
  ['nobody', 'POST /organizations/current/documents?title=Plan HTTP/1.1\r\nSec-Fetch-Site: none\r\nContent-Type: text/plain', 401],
  ['a body that is too large', 'POST /auth/sign-in HTTP/1.1\r\nContent-Type: application/json', 413],
  ['another site', 'POST /organizations/current/documents?title=Plan HTTP/1.1\r\nContent-Type: text/plain', 403],
] as const)('what is answered to %s reaches whoever is still sending', async (_what, head, status) => {
  const answer = await sendThenRead(head, 20)
  expect(answer.split('\r\n')[0]).toContain(`HTTP/1.1 ${status} `)
  expect(answer).toContain('"requestId"')
})

test('whoever never comes to an end is cut off', { timeout: 30_000 }, async () => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.write('POST /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n{')
  const drip = setInterval(() => socket.write('a'), 100)
  socket.on('error', () => {}).resume()
  const begun = performance.now()
  await new Promise(resolve => socket.once('close', resolve))
  clearInterval(drip)
  expect(performance.now() - begun).toBeGreaterThan(4_000)
  expect(performance.now() - begun).toBeLessThan(15_000)
})
