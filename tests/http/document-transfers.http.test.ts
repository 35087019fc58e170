import { type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { DocumentStore } from '../../src/entities.ts'
import { daybookHost } from '../../src/http/index.ts'
import { base, type DocumentHost, filesIn, openDocumentHost, pdf, upload } from './document-host.ts'
import { Caller, cookieIn, openTestHost, type SignedUp, signUp, type TestHost } from './test-host.ts'

let opened: DocumentHost
let on: TestHost
let ann: SignedUp
let store: DocumentStore

beforeAll(async () => {
  opened = await openDocumentHost()
  ;({ on, ann, store } = opened)
})
afterAll(() => opened[Symbol.asyncDispose]())

describe('over a connection', () => {
  let big: TestHost
  /** Behind the host's: one that a test may slow down. */
  let slow: DocumentStore
  let port: number
  let secret: string

  beforeAll(async () => {
    slow = store
    const behind: DocumentStore = {
      put: (at, content) => slow.put(at, content),
      get: at => slow.get(at),
      delete: at => slow.delete(at),
    }
    big = await openTestHost({ files: { store: behind, maxBytes: 200_000_000 } })
    const { caller } = await signUp(big, 'ann@acme.example', 'Acme')
    const made = await caller.post('/organizations/current/api-keys', {
      name: 'k',
      environment: 'LIVE',
      scopes: ['document:create', 'document:read'],
    })
    secret = made.json().secret
    await big.host.listen({ port: 0 })
    port = (big.host.server.address() as AddressInfo).port
  })
  afterAll(() => big[Symbol.asyncDispose]())

  const mebibyte = Buffer.alloc(1_048_576, 'x')
  function* text(mebibytes: number, begin = '') {
    yield Buffer.from(begin)
    for (let count = 0; count < mebibytes; count++) yield mebibyte
  }
  interface Got {
    readonly status: number
    readonly body: string
  }
  /** Without a length that would tell beforehand how much it is. */
  function send(parts: Iterable<Buffer>, more: Record<string, string> = {}): Promise<Got> {
    const { promise, resolve, reject } = Promise.withResolvers<Got>()
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'text/plain', ...more }
    const sending = request({ port, method: 'POST', path: `${base}?title=Large`, headers }, answer => {
      let body = ''
      answer.setEncoding('utf8').on('data', (part: string) => (body += part))
      answer.on('end', () => resolve({ status: answer.statusCode!, body }))
    })
    sending.on('error', reject)
    Readable.from(parts).pipe(sending)
    return promise
  }

  test('no more of a large file is held than is on its way, in both directions', { timeout: 60_000 }, async () => {
    const counted = { sent: 0, read: 0 }
    function* parts() {
      for (const part of text(150)) {
        counted.sent += part.length
        yield part
      }
    }
    const gate = Promise.withResolvers<void>()
    slow = {
      async put(key, content) {
        await store.put(
          key,
          (async function* () {
            for await (const part of content) {
              yield part
              await gate.promise
            }
          })(),
        )
      },
      async get(key) {
        const content = await store.get(key)
        return (async function* () {
          for await (const part of content) {
            counted.read += part.byteLength
            yield part
          }
        })()
      },
      delete: key => store.delete(key),
    }
    const sending = send(parts(), { 'idempotency-key': 'large' })
    await setTimeout(1_000)
    expect(counted.sent).toBeGreaterThan(0)
    expect(counted.sent).toBeLessThan(40 * 1_048_576)
    gate.resolve()
    const { status, body } = await sending
    expect(status).toBe(201)
    const { id, sizeBytes } = JSON.parse(body) as { id: string; sizeBytes: number }
    expect(sizeBytes).toBe(150 * 1_048_576)
    const answer = await new Promise<IncomingMessage>(resolve => {
      request({ port, path: `${base}/${id}/file`, headers: { authorization: `Bearer ${secret}` } }, resolve).end()
    })
    await setTimeout(1_000)
    expect(counted.read).toBeGreaterThan(0)
    expect(counted.read).toBeLessThan(40 * 1_048_576)
    let size = 0
    for await (const part of answer) size += (part as Buffer).length
    expect(size).toBe(sizeBytes)
    slow = store
  })

  test('what turns out too large, or something else, is told why, and leaves nothing', { timeout: 120_000 }, async () => {
    const before = (await filesIn(opened)).length
    const large = await send(text(195))
    expect([large.status, (JSON.parse(large.body) as { code: string }).code]).toEqual([413, 'documents.too_large'])
    const other = await send(text(20, 'text, and then \0'))
    expect([other.status, (JSON.parse(other.body) as { code: string }).code]).toEqual([422, 'documents.content_mismatch'])
    expect((await filesIn(opened)).length).toBe(before)
  })

  test('whoever goes away in the middle leaves nothing', async () => {
    const before = (await filesIn(opened)).length
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'text/plain', 'content-length': 1_000_000 }
    const sending = request({ port, method: 'POST', path: `${base}?title=Broken`, headers })
    sending.on('error', () => undefined)
    sending.write('the first part')
    await expect.poll(async () => (await filesIn(opened)).length, { timeout: 10_000 }).toBe(before + 1)
    sending.destroy()
    await expect.poll(async () => (await filesIn(opened)).length, { timeout: 10_000 }).toBe(before)
  })

  test('whoever goes away in the middle is no error of the host', async () => {
    const logged = () =>
      big.log
        .filter(line => line.includes('"path":"/organizations/current/documents"') || line.includes('a request '))
        .map(line => JSON.parse(line) as { level: number; code?: string; msg: string })
    const [earlier, before] = [logged().length, (await filesIn(opened)).length]
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'text/plain', 'content-length': 1_000_000 }
    const sending = request({ port, method: 'POST', path: `${base}?title=Left`, headers }).on('error', () => undefined)
    sending.write('the first part')
    await expect.poll(async () => (await filesIn(opened)).length, { timeout: 10_000 }).toBe(before + 1)
    sending.destroy()
    await expect.poll(() => logged().slice(earlier).at(-1), { timeout: 10_000 }).toMatchObject({ level: 30, code: 'http.abandoned' })
    expect(big.log.map(line => (JSON.parse(line) as { level: number }).level).filter(level => level >= 50)).toEqual([])
  })
})

test('a file is let go of when whoever asked for it has left before its first byte', async () => {
  const { id } = (await upload(ann.caller, pdf('left early'))).json<{ id: string }>()
  const begun: Readable[] = []
  const left = Promise.withResolvers<void>()
  const leaving: DocumentStore = {
    ...store,
    async get(key) {
      const content = (await store.get(key)) as Readable
      begun.push(content)
      asked.destroy()
      await left.promise
      return content
    },
  }
  await using host = daybookHost(on.daybook, { files: { store: leaving }, rateLimits: false, load: false })
  host.addHook('onRequest', async ({ raw }) => void raw.socket.once('close', () => left.resolve()))
  await host.listen({ port: 0 })
  const { port } = host.server.address() as AddressInfo
  const cookie = cookieIn(await new Caller({ host }).signIn('ann@acme.example'))
  const asked = request({ port, path: `${base}/${id}/file`, headers: { cookie } }).on('error', () => undefined)
  asked.end()
  await left.promise
  await vi.waitFor(() => expect(begun.map(({ destroyed }) => destroyed)).toEqual([true]))
})
