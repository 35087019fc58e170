import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { type Bytes, type DocumentStore, StrayFile } from '../../src/entities.ts'
import { daybookHost } from '../../src/http/index.ts'
import { base, type DocumentHost, expectNothingNew, filesIn, maxBytes, openDocumentHost, pdf, upload } from './document-host.ts'
import { Caller, openTestHost, password, roleIdOf, type SignedUp, signUp, type TestHost, tokenFor } from './test-host.ts'

let opened: DocumentHost
let on: TestHost
let ann: SignedUp
let store: DocumentStore

beforeAll(async () => {
  opened = await openDocumentHost()
  ;({ on, ann, store } = opened)
})
afterAll(() => opened[Symbol.asyncDispose]())

/** Somebody new in Ann's organization, who comes again if they have left. */
async function invite(email: string): Promise<void> {
  await ann.caller.post('/organizations/current/invitations', { email, role: await roleIdOf(ann.caller, 'MEMBER') })
  await new Caller(on).post('/invitations/accept', { token: tokenFor(on.mails, email), password })
}

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
    await expectNothingNew(opened, async () => {
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
  test.each(['a key that is revoked', 'a session that is ended', 'a membership that is ended'] as const)(
    'on the way of a file, %s leaves nothing',
    async what => {
      const issued = await ann.caller.post('/organizations/current/api-keys', {
        name: 'k',
        environment: 'LIVE',
        scopes: ['document:create'],
      })
      const { secret, apiKey } = issued.json<{ secret: string; apiKey: { id: string } }>()
      const bob = new Caller(on)
      await invite('bob@acme.example')
      await bob.signIn('bob@acme.example')
      const end = {
        'a key that is revoked': () => ann.caller.delete(`/organizations/current/api-keys/${apiKey.id}`),
        'a session that is ended': () => bob.post('/auth/sign-out-everywhere'),
        'a membership that is ended': () => bob.delete(`/me/organizations/${ann.organization}`),
      }[what]
      const caller = what === 'a key that is revoked' ? new Caller(on, { authorization: `Bearer ${secret}` }) : bob
      async function* parts() {
        yield Buffer.from('the first part')
        await expect.poll(async () => (await filesIn(opened)).length, { timeout: 10_000 }).toBeGreaterThan(before)
        expect((await end()).statusCode).toBeLessThan(300)
        yield Buffer.from(', and the rest')
      }
      const before = (await filesIn(opened)).length
      await expectNothingNew(opened, async () => {
        const answer = await upload(caller, Readable.from(parts()), 'text/plain')
        expect(answer.statusCode).toBe(what === 'a membership that is ended' ? 404 : 401)
      })
    },
  )

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
    await expectNothingNew(opened, async () => {
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
