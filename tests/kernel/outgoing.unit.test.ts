import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { guardedPost, isPublic, requireAddress } from '../../src/kernel/outgoing.ts'

const request = { headers: {}, body: '{}', timeoutMs: 300 }

describe('an address', () => {
  test.each(['8.8.8.8', '93.184.215.14', '2001:200::1', '2001:4860:4860::8888', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'])(
    '%s is public',
    address => expect(isPublic(address)).toBe(true),
  )

  const ours = `0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 127.9.9.9 169.254.169.254 172.16.0.1 172.31.255.255 192.168.0.1 198.18.0.1 203.0.113.7 224.0.0.1 255.255.255.255
    :: ::1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 64:ff9b::a00:1 fe80::1 fc00::1 fd12::1 ff02::1 2001::1 2001:2::1 2001:20::1 2001:db8::1 2002:a00:1:: 3fff::1`

  test.each(ours.split(/\s+/))('%s is not', address => expect(isPublic(address)).toBe(false))

  test.each([
    'https://127.1',
    'https://0x7f000001',
    'https://2130706433',
    'https://017700000001',
    'https://[::ffff:127.0.0.1]',
    'https://[0:0:0:0:0:0:0:1]',
    'https://[fd12::1]:8443',
    'https://127.0.0.1./',
    'https://0177.0.0.1',
    'https://１２７.0.0.1',
    'https://%31%32%37.0.0.1',
    'https://10.1',
    'https://a:b@example.com',
  ])('%s is one of ours in disguise', url => {
    expect(() => requireAddress(url)).toThrow(expect.objectContaining({ code: 'outgoing.address_refused' }))
  })

  test.each([
    'https://localhost/',
    'https://LOCALHOST.:8443/',
    'https://db.localhost',
    'https://printer.local',
    'https://Metadata.Google.Internal/computeMetadata',
    'https://metadata.google.internal./',
    'https://router.home.arpa',
    'https://nas.lan',
    'https://a.localdomain',
    'https://shop.test./',
    'https://postgres:5432/',
    'https://ｌｏｃａｌｈｏｓｔ',
  ])('%s can only be local', url => {
    expect(() => requireAddress(url)).toThrow(expect.objectContaining({ code: 'outgoing.address_refused' }))
    expect(requireAddress(url, true).href).toMatch(/^https:/)
  })

  test.each(['https://internal.example.com', 'https://local.example', 'https://notlocalhost.example./', 'https://8.8.8.8'])(
    '%s may be called',
    url => expect(requireAddress(url).protocol).toBe('https:'),
  )
})

describe('a call', () => {
  const server = createServer((incoming, response) => {
    if (incoming.url === '/slow') return
    if (incoming.url === '/drip') {
      const drip = setInterval(() => response.write('.'), 20)
      response.on('close', () => clearInterval(drip))
    } else if (incoming.url === '/long') response.end('x'.repeat(1_000_000))
    else if (incoming.url === '/away') response.writeHead(302, { location: '/' }).end()
    else response.end('fine')
  })
  let base: string
  beforeAll(async () => {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    base = `//localhost:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  const post = guardedPost({ allowPrivate: true })

  test('gets its answer', async () => {
    expect(await post({ ...request, url: `http:${base}/` })).toEqual({ status: 200, body: 'fine' })
  })

  test('isn’t made to a name that stands for an address of ours', async () => {
    await expect(guardedPost()({ ...request, url: `https:${base}/` })).rejects.toMatchObject({ code: 'outgoing.address_refused' })
  })

  test.each(['/slow', '/drip'])('that is answered by %s is given up in time', async path => {
    await expect(post({ ...request, url: `http:${base}${path}` })).rejects.toMatchObject({ code: 'outgoing.answer_late' })
  })

  test('reads no more than it has to', async () => {
    const { body } = await post({ ...request, url: `http:${base}/long` })
    expect(body).toHaveLength(64 * 1024)
  })

  test('doesn’t follow where it is sent on to', async () => {
    expect(await post({ ...request, url: `http:${base}/away` })).toEqual({ status: 302, body: '' })
  })

  test('to nobody fails', async () => {
    await expect(post({ ...request, url: 'http://127.0.0.1:1/' })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
