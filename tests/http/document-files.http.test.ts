import Fastify from 'fastify'
import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { daybookPlugin } from '../../src/http/index.ts'
import { base, type DocumentHost, filesIn, openDocumentHost, pdf, rowsOf, tidyUp, upload } from './document-host.ts'
import { Caller, cookieIn, password, type SignedUp, type TestHost } from './test-host.ts'

let opened: DocumentHost
let on: TestHost
let ann: SignedUp
let zoe: SignedUp
let directory: string

beforeAll(async () => {
  opened = await openDocumentHost()
  ;({ on, ann, zoe, directory } = opened)
})
afterAll(() => opened[Symbol.asyncDispose]())

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
    expect((await rowsOf(opened, ann.organization)).strays).toEqual([])
    expect((await ann.caller.get(`${base}/${made.json().id}/history`)).json().items[0].actor).toEqual({ type: 'user', id: ann.user })
  })

  test('that is there already is the same document, and its second file goes', async () => {
    const first = await upload(ann.caller, pdf('twice'))
    const before = (await filesIn(opened)).length
    const again = await upload(ann.caller, pdf('twice'), 'application/pdf', 'Another name')
    expect([again.statusCode, again.json()]).toEqual([200, first.json()])
    await tidyUp(opened, ann.organization)
    expect((await filesIn(opened)).length).toBe(before)
    const many = await Promise.all(Array.from({ length: 8 }, () => upload(ann.caller, pdf('at once'))))
    expect(new Set(many.map(answer => answer.json().id)).size).toBe(1)
    expect(many.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([...Array.from({ length: 7 }, () => 200), 201])
    await tidyUp(opened, ann.organization)
    expect((await filesIn(opened)).length).toBe(before + 1)
  })

  test('goes when its document goes', async () => {
    const before = (await filesIn(opened)).length
    const { id } = (await upload(ann.caller, pdf('short-lived'))).json<{ id: string }>()
    expect((await ann.caller.post(`${base}/${id}/remove`)).statusCode).toBe(200)
    await tidyUp(opened, ann.organization)
    expect((await filesIn(opened)).length).toBe(before)
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
    const folders = new Set((await filesIn(opened)).map(({ parentPath }) => parentPath))
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

  test('says where it lies to those alone who manage documents, also when its document is gone', async () => {
    const { id } = (await upload(ann.caller, pdf('soon gone'))).json<{ id: string }>()
    await ann.caller.post(`${base}/${id}/remove`)
    const asWith = async (scopes: string[]) => {
      const made = await ann.caller.post('/organizations/current/api-keys', { name: 'k', environment: 'LIVE', scopes })
      return new Caller(on, { authorization: `Bearer ${made.json().secret}` })
    }
    const strays = async (scopes: string[]) =>
      (await (await asWith(scopes)).get('/organizations/current/stray-files')).json<{ items: object[] }>().items
    expect((await strays(['stray-file:read']))[0]).not.toHaveProperty('storageKey')
    expect((await strays(['stray-file:read', 'document:manage']))[0]).toHaveProperty('storageKey')
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

test('a file that is sent below the prefix of an application is found where the answer says', async () => {
  await using app = Fastify()
  await app.register(daybookPlugin, { daybook: on.daybook, prefix: '/api', rateLimits: false, files: { store: opened.store } })
  const cookie = cookieIn(await new Caller({ host: app }).post('/api/auth/sign-in', { email: 'ann@acme.example', password }))
  const caller = new Caller({ host: app }, { cookie })
  const headers = { 'content-type': 'application/pdf', 'sec-fetch-site': 'same-origin' }
  const made = await caller.call('POST', `/api${base}?title=Below`, { payload: pdf('below a prefix'), headers })
  const found = await caller.get(String(made.headers.location))
  expect([made.statusCode, found.json()]).toEqual([201, made.json()])
})
