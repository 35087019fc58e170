/** Long because one host and one store serve for all that can go wrong with a file. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { type Bytes, Document, type DocumentStore, folderStore, removeStrayFiles, StrayFile } from '../../src/entities.ts'
import { daybookHost } from '../../src/http/index.ts'
import { Caller, cookieIn, openTestHost, type SignedUp, signUp, type TestHost } from './test-host.ts'

const base = '/organizations/current/documents'
const maxBytes = 1_000_000

let directory: string
let store: DocumentStore
let on: TestHost
let ann: SignedUp
let zoe: SignedUp

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'daybook-files-'))
  store = folderStore(directory)
  on = await openTestHost({ files: { store, maxBytes } })
  ann = await signUp(on, 'ann@acme.example', 'Acme')
  zoe = await signUp(on, 'zoe@zenith.example', 'Zenith')
})
afterAll(async () => {
  await on[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

const pdf = (text: string) => Buffer.from(`%PDF-1.7\n${text}`)
const sameSite = { 'sec-fetch-site': 'same-origin' }
const upload = (caller: Caller, payload: Buffer | Readable, type = 'application/pdf', title = 'Invoice') =>
  caller.call('POST', `${base}?${new URLSearchParams({ title }).toString()}`, { payload, headers: { 'content-type': type, ...sameSite } })
const files = async () => (await readdir(directory, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile())
const rows = (organization: string) =>
  on.daybook.transact({ tenant: organization, actor: systemActor('test') }, async em => ({
    documents: await em.count(Document, {}),
    strays: await em.find(StrayFile, {}),
  }))
/** What was noted for removal is removed, as the job does it. */
async function tidyUp(organization: string): Promise<void> {
  const transact = <T>(work: Parameters<typeof on.daybook.transact<T>>[1]) =>
    on.daybook.transact({ tenant: organization, actor: systemActor('test') }, work)
  await removeStrayFiles({ store, transact }, new Date(Date.now() + 1_000))
}
async function expectNothingNew(act: () => Promise<unknown>): Promise<void> {
  const before = [(await files()).length, await rows(ann.organization)]
  await act()
  await tidyUp(ann.organization)
  expect([(await files()).length, await rows(ann.organization)]).toEqual(before)
}

describe('a file', () => {
  test('becomes a document when all of it is there, and comes back as it was', async () => {
    const content = pdf('Grüße')
    const made = await upload(ann.caller, content)
    const sha256 = createHash('sha256').update(content).digest('hex')
    expect(made.json()).toMatchObject({
      title: 'Invoice',
      mimeType: 'application/pdf',
      sizeBytes: content.length,
      sha256,
      status: 'PENDING',
    })
    expect([made.statusCode, made.headers.location]).toEqual([201, `/organizations/${ann.organization}/documents/${made.json().id}`])
    const got = await ann.caller.get(`${base}/${made.json().id}/file`)
    expect(got.rawPayload.equals(content)).toBe(true)
    expect(got.headers).toMatchObject({
      'content-type': 'application/pdf',
      'content-length': String(content.length),
      'content-disposition': `attachment; filename="Invoice.pdf"; filename*=UTF-8''Invoice.pdf`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      etag: `"${sha256}"`,
    })
    const again = await ann.caller.call('GET', `${base}/${made.json().id}/file`, { headers: { 'if-none-match': `"${sha256}"` } })
    expect([again.statusCode, again.body]).toEqual([304, ''])
    const head = await ann.caller.call('HEAD', `${base}/${made.json().id}/file`)
    expect([head.statusCode, head.headers['content-length'], head.body]).toEqual([200, String(content.length), ''])
    expect((await rows(ann.organization)).strays).toEqual([])
    expect((await ann.caller.get(`${base}/${made.json().id}/history`)).json().items[0].actor).toEqual({ type: 'user', id: ann.user })
  })

  test('that is there already is the same document, and its second file goes', async () => {
    const first = await upload(ann.caller, pdf('twice'))
    const before = (await files()).length
    const again = await upload(ann.caller, pdf('twice'), 'application/pdf', 'Another name')
    expect([again.statusCode, again.json()]).toEqual([200, first.json()])
    await tidyUp(ann.organization)
    expect((await files()).length).toBe(before)
    const many = await Promise.all(Array.from({ length: 8 }, () => upload(ann.caller, pdf('at once'))))
    expect(new Set(many.map(answer => answer.json().id)).size).toBe(1)
    expect(many.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([...Array.from({ length: 7 }, () => 200), 201])
    await tidyUp(ann.organization)
    expect((await files()).length).toBe(before + 1)
  })

  test('goes when its document goes', async () => {
    const before = (await files()).length
    const { id } = (await upload(ann.caller, pdf('short-lived'))).json<{ id: string }>()
    expect((await ann.caller.post(`${base}/${id}/remove`)).statusCode).toBe(200)
    await tidyUp(ann.organization)
    expect((await files()).length).toBe(before)
    expect((await ann.caller.get(`${base}/${id}/file`)).statusCode).toBe(404)
  })

  test('is another organization’s alone, also where both have the same', async () => {
    const mine = (await upload(ann.caller, pdf('shared'))).json<{ id: string }>()
    const hers = (await upload(zoe.caller, pdf('shared'))).json<{ id: string }>()
    expect(hers.id).not.toBe(mine.id)
    for (const url of [`${base}/${hers.id}/file`, `/organizations/${zoe.organization}/documents/${hers.id}/file`]) {
      const answer = await ann.caller.get(url)
      expect([url, answer.statusCode, answer.json().code]).toEqual([url, 404, 'http.not_found'])
    }
    const folders = new Set((await files()).map(({ parentPath }) => parentPath))
    expect(folders).toEqual(new Set([ann, zoe].map(({ organization }) => join(directory, organization))))
  })

  test('needs its permission, before a byte of it is read', async () => {
    const keyWith = async (scopes: string[]) => {
      const made = await ann.caller.post('/organizations/current/api-keys', { name: 'k', environment: 'LIVE', scopes })
      return new Caller(on, { authorization: `Bearer ${made.json().secret}` })
    }
    const [reader, writer] = [await keyWith(['document:read']), await keyWith(['document:create'])]
    const unread = new Readable({ read: () => expect.unreachable('nothing is read') })
    expect((await upload(reader, unread)).json()).toMatchObject({ status: 403, code: 'access.denied' })
    expect((await upload(new Caller(on), pdf('nobody'))).statusCode).toBe(401)
    const made = await upload(writer, pdf('by a program'))
    expect(made.statusCode).toBe(201)
    expect(made.json()).not.toHaveProperty('storageKey')
    expect((await writer.get(`${base}/${made.json().id}/file`)).statusCode).toBe(403)
    expect((await reader.get(`${base}/${made.json().id}/file`)).statusCode).toBe(200)
  })

  test('from another site’s page is refused', async () => {
    const answer = await ann.caller.call('POST', `${base}?title=x`, {
      payload: pdf('forged'),
      headers: { 'content-type': 'text/plain', 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
    })
    expect([answer.statusCode, answer.json().code]).toEqual([403, 'http.cross_site'])
  })

  test('is given in part, as whoever goes on with a download asks', async () => {
    const content = pdf(randomBytes(60_000).toString('hex'))
    const { id, sha256 } = (await upload(ann.caller, content)).json<{ id: string; sha256: string }>()
    const ask = (range: string, more = {}) => ann.caller.call('GET', `${base}/${id}/file`, { headers: { range, ...more } })
    for (const [range, from, to] of [
      ['bytes=0-0', 0, 0],
      ['bytes=70000-', 70_000, content.length - 1],
      ['bytes=-10', content.length - 10, content.length - 1],
      ['bytes=100-9999999', 100, content.length - 1],
    ] as const) {
      const { statusCode, headers, rawPayload } = await ask(range, { 'if-range': `"${sha256}"` })
      expect([range, statusCode, headers['content-range']]).toEqual([range, 206, `bytes ${from}-${to}/${content.length}`])
      expect(rawPayload.equals(content.subarray(from, to + 1))).toBe(true)
    }
    for (const [range, more] of [
      ['bytes=9-3', {}],
      ['bytes=9999999-', {}],
      ['lines=1-2', {}],
      ['bytes=1-2,4-5', {}],
      ['bytes=1-2', { 'if-range': '"old"' }],
    ] as const) {
      const whole = await ask(range, more)
      expect([range, whole.statusCode, whole.rawPayload.length]).toEqual([range, 200, content.length])
    }
  })
})

describe('what is sent', () => {
  test.each([
    ['a page', 'text/html', '<script>alert(1)</script>', 415, 'documents.media_type'],
    ['a drawing that can hold scripts', 'image/svg+xml', '<svg onload="alert(1)"/>', 415, 'documents.media_type'],
    ['a form', 'multipart/form-data; boundary=x', '--x--', 415, 'documents.media_type'],
    ['a program that is called a PDF', 'application/pdf', 'MZ\x90\0 not a document', 422, 'documents.content_mismatch'],
    ['a PDF that is called a picture', 'image/png', '%PDF-1.7 and so on', 422, 'documents.content_mismatch'],
    ['bytes that are called text', 'text/plain', Buffer.from([0x68, 0xff, 0xfe, 0x00]), 422, 'documents.content_mismatch'],
    ['text with a NUL', 'text/csv', 'a;b\0', 422, 'documents.content_mismatch'],
    ['nothing', 'application/pdf', '', 422, 'documents.content_mismatch'],
    ['too much', 'text/plain', 'x'.repeat(maxBytes + 1), 413, 'documents.too_large'],
  ] as const)('is refused where it is %s', async (_what, type, content, status, code) => {
    await expectNothingNew(async () => {
      const answer = await upload(ann.caller, Buffer.from(content as string), type)
      expect([answer.statusCode, answer.json().code]).toEqual([status, code])
    })
  })

  test('may be any of the types that are taken', async () => {
    const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), randomBytes(20)])
    const webp = Buffer.concat([Buffer.from('RIFF'), randomBytes(4), Buffer.from('WEBPVP8 ')])
    for (const [type, content] of [
      ['image/png', png],
      ['IMAGE/WEBP; q=1', webp],
      ['text/plain; charset=utf-8', Buffer.from('Grüße 😀')],
    ] as const) {
      expect([type, (await upload(ann.caller, content, type)).statusCode]).toEqual([type, 201])
    }
  })

  test.each([
    ['../../etc/passwd', 'filename="etc-passwd.pdf"'],
    ['a"; filename="evil.exe', `filename="a-; filename=-evil.exe.pdf"`],
    ['Rechnung für Zoë – №7.pdf', `filename*=UTF-8''Rechnung%20f%C3%BCr%20Zo%C3%AB%20%E2%80%93%20%E2%84%967.pdf`],
    ['invoice\u202Efdp.exe', `filename="invoicefdp.exe.pdf"`],
    ['line\r\nset-cookie: a=b', 'filename="lineset-cookie- a=b.pdf"'],
  ])('under the name %s is downloaded under one that is safe', async (title, expected) => {
    const { id } = (await upload(ann.caller, pdf(title), 'application/pdf', title)).json<{ id: string }>()
    const { headers } = await ann.caller.get(`${base}/${id}/file`)
    expect(headers['content-disposition']).toContain(expected)
    expect(headers['set-cookie']).toBeUndefined()
  })

  test('under no name is refused', async () => {
    for (const title of ['', ' ', '\u202E', 'x'.repeat(201)]) {
      const answer = await upload(ann.caller, pdf('unnamed'), 'application/pdf', title)
      expect([title.slice(0, 3), answer.statusCode]).toEqual([title.slice(0, 3), expect.toBeOneOf([400, 422])])
    }
  })
})

describe('where something fails', () => {
  test('a store that can’t be written leaves no document', async () => {
    const broken: DocumentStore = {
      async put(_key, content: Bytes) {
        for await (const part of content) throw new Error(`No room for ${part.byteLength} bytes.`)
      },
      get: () => Promise.reject(new Error('unreachable')),
      delete: () => Promise.resolve(),
    }
    await using host = await openTestHost({ files: { store: broken } })
    const { caller } = await signUp(host, 'ann@acme.example', 'Acme')
    const answer = await upload(caller, pdf('lost'))
    expect(answer.json()).toMatchObject({ status: 500, code: 'internal' })
    expect(answer.body).not.toContain('room')
    expect((await caller.get(base)).json().items).toEqual([])
    expect((await caller.get('/organizations/current/stray-files')).json().items).toHaveLength(1)
  })

  test('a database that refuses the document leaves no file', async () => {
    await expectNothingNew(async () => {
      const late: DocumentStore = {
        ...store,
        async put(key, content) {
          await store.put(key, content)
          await on.daybook.transact({ tenant: ann.organization, actor: systemActor('test') }, em =>
            em.nativeUpdate(StrayFile, { storageKey: key }, { attempts: 1 }),
          )
        },
      }
      await using host = daybookHost(on.daybook, { files: { store: late }, rateLimits: false })
      const caller = new Caller({ host })
      await caller.signIn('ann@acme.example')
      expect((await upload(caller, pdf('late'))).json()).toMatchObject({ status: 409, code: 'documents.upload_late' })
    })
  })

  test('a file that is lost is told apart from a document that isn’t there', async () => {
    const { id } = (await upload(ann.caller, pdf('lost later'))).json<{ id: string }>()
    const { storageKey } = (await ann.caller.get(`${base}/${id}`)).json<{ storageKey: string }>()
    await store.delete(storageKey)
    expect((await ann.caller.get(`${base}/${id}/file`)).json()).toMatchObject({ status: 404, code: 'documents.file_missing' })
  })
})

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
  function send(parts: Iterable<Buffer>): Promise<Got> {
    const { promise, resolve, reject } = Promise.withResolvers<Got>()
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'text/plain' }
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
    const sending = send(parts())
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
    const before = (await files()).length
    const large = await send(text(195))
    expect([large.status, (JSON.parse(large.body) as { code: string }).code]).toEqual([413, 'documents.too_large'])
    const other = await send(text(20, 'text, and then \0'))
    expect([other.status, (JSON.parse(other.body) as { code: string }).code]).toEqual([422, 'documents.content_mismatch'])
    expect((await files()).length).toBe(before)
  })

  test('whoever goes away in the middle leaves nothing', async () => {
    const before = (await files()).length
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'text/plain', 'content-length': 1_000_000 }
    const sending = request({ port, method: 'POST', path: `${base}?title=Broken`, headers })
    sending.on('error', () => undefined)
    sending.write('the first part')
    await expect.poll(async () => (await files()).length, { timeout: 10_000 }).toBe(before + 1)
    sending.destroy()
    await expect.poll(async () => (await files()).length, { timeout: 10_000 }).toBe(before)
  })
})

test('a file is let go of when whoever asked for it has left before its first byte', async () => {
  const { id } = (await upload(ann.caller, pdf('left early'))).json<{ id: string }>()
  const opened: Readable[] = []
  const left = Promise.withResolvers<void>()
  const leaving: DocumentStore = {
    ...store,
    async get(key) {
      const content = (await store.get(key)) as Readable
      opened.push(content)
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
  await vi.waitFor(() => expect(opened.map(({ destroyed }) => destroyed)).toEqual([true]))
})
