import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type DocumentHost, openDocumentHost, upload } from './document-host.ts'
import { Caller, cookieIn } from './test-host.ts'

const files = { maxBytes: 50_000_000 }

/** Somebody who asks for a file that fits into no buffer, and stops reading after its beginning. */
async function stalled({ on, ann }: DocumentHost): Promise<Socket> {
  await on.host.listen({ host: '127.0.0.1', port: 0 })
  const cookie = cookieIn(await new Caller(on).signIn('ann@acme.example'))
  const { id } = (await upload(ann.caller, Buffer.alloc(20_000_000, 'a line\n'), 'text/plain')).json<{ id: string }>()
  const socket = connect((on.host.server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(`GET /organizations/current/documents/${id}/file HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\n\r\n`)
  await once(socket, 'data')
  socket.pause()
  return socket
}

test('a client that has stopped reading keeps no host from closing', async () => {
  await using opened = await openDocumentHost({ files, closeGraceMs: 1_500 })
  const socket = await stalled(opened)
  const startedAt = performance.now()
  const closed = opened.on.host.close().then(() => 'closed')
  expect(await Promise.race([closed, setTimeout(1_000, 'waits')])).toBe('waits')
  expect(await Promise.race([closed, setTimeout(20_000, 'waits')])).toBe('closed')
  expect(performance.now() - startedAt).toBeLessThan(10_000)
  socket.destroy()
})

test('a connection on which nothing moves ends by itself', async () => {
  await using opened = await openDocumentHost({ files, connectionIdleMs: 1_000 })
  const { server } = opened.on.host
  const socket = await stalled(opened)
  const open = () => new Promise<number>(resolve => server.getConnections((_error, count) => resolve(count)))
  expect(await open()).toBe(1)
  await expect.poll(open, { timeout: 15_000 }).toBe(0)
  socket.destroy()
})
