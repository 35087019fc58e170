import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { openTestHost } from './test-host.ts'

test.each([
  ['headers', 'GET /me HTTP/1.1\r\nHost: a\r\nX-Slow: '],
  ['a body', 'POST /auth/sign-in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"email":"'],
])('who sends %s byte by byte is cut off, and meanwhile others are answered', { timeout: 60_000 }, async (_what, beginning) => {
  await using on = await openTestHost()
  await on.host.listen({ host: '127.0.0.1', port: 0 })
  const { port } = on.host.server.address() as AddressInfo
  const startedAt = performance.now()
  const slow = Array.from({ length: 20 }, () => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.resume()
    socket.write(beginning)
    const drip = setInterval(() => socket.write('x'), 500)
    return new Promise<number>(resolve => {
      socket.on('close', () => {
        clearInterval(drip)
        resolve(performance.now() - startedAt)
      })
    })
  })
  expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200)
  for (const lastedMs of await Promise.all(slow)) expect(lastedMs).toBeLessThan(25_000)
})
