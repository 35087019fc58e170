import type { LightMyRequestResponse } from 'fastify'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { type Bytes, Document, type DocumentStore, removeDocument } from '../../src/entities.ts'
import { daybookHost } from '../../src/http/index.ts'
import { base, type DocumentHost, expectNothingNew, filesIn, openDocumentHost, pdf, rowsOf, tidyUp } from './document-host.ts'
import { Caller, cookieIn, type SignedUp } from './test-host.ts'

let opened: DocumentHost
let ann: SignedUp

beforeAll(async () => {
  opened = await openDocumentHost()
  ;({ ann } = opened)
})
beforeEach(() => tidyUp(opened, ann.organization))
afterAll(() => opened[Symbol.asyncDispose]())

interface Sent {
  readonly type?: string
  readonly title?: string
  readonly caller?: Caller
}

function once(
  key: string,
  payload: Buffer | Readable,
  { type = 'application/pdf', title = 'Once', caller = ann.caller }: Sent = {},
): Promise<LightMyRequestResponse> {
  const headers = { 'content-type': type, 'sec-fetch-site': 'same-origin', 'idempotency-key': key }
  return caller.call('POST', `${base}?${new URLSearchParams({ title }).toString()}`, { payload, headers })
}

const told = ({ statusCode, headers, json }: LightMyRequestResponse) => [
  statusCode,
  headers['idempotency-replayed'],
  headers.location,
  headers.etag,
  json(),
]

describe('a file that is sent again under its key', () => {
  test('gets the same answer, and leaves one document and one file', async () => {
    const before = [(await filesIn(opened)).length, (await rowsOf(opened, ann.organization)).documents]
    const first = await once('same', pdf('once'))
    expect(told(first)).toEqual([201, undefined, expect.stringMatching(`/documents/${first.json().id}$`), '"1"', first.json()])
    const again = await once('same', pdf('once'))
    expect(told(again)).toEqual([201, 'true', ...told(first).slice(2)])
    await tidyUp(opened, ann.organization)
    const { documents, strays } = await rowsOf(opened, ann.organization)
    expect([(await filesIn(opened)).length, documents, strays]).toEqual([before[0]! + 1, before[1]! + 1, []])
  })

  test('does nothing more, though its document is gone meanwhile', async () => {
    const first = await once('gone', pdf('gone'))
    await opened.on.daybook.transact({ tenant: ann.organization, actor: systemActor('test') }, async em =>
      removeDocument(em, await em.findOneOrFail(Document, first.json<{ id: string }>().id)),
    )
    await tidyUp(opened, ann.organization)
    await expectNothingNew(opened, async () => {
      expect(told(await once('gone', pdf('gone')))).toEqual([201, 'true', ...told(first).slice(2)])
    })
  })

  test('is answered as it was where it was there already', async () => {
    const { id } = (await once('there', pdf('there'))).json<{ id: string }>()
    const answers = [await once('there, by another key', pdf('there')), await once('there, by another key', pdf('there'))]
    expect(answers.map(answer => [answer.statusCode, answer.headers['idempotency-replayed'], answer.json().id])).toEqual([
      [200, undefined, id],
      [200, 'true', id],
    ])
  })

  test.each([
    ['other bytes', pdf('other'), {}],
    ['one byte more', Buffer.concat([pdf('mine'), Buffer.from(' ')]), {}],
    ['another title', pdf('mine'), { title: 'Another' }],
    ['another type', pdf('mine'), { type: 'text/plain' }],
  ])('is refused with %s, and leaves nothing', async (_what, content, sent: Sent) => {
    await once('mine', pdf('mine'))
    await tidyUp(opened, ann.organization)
    await expectNothingNew(opened, async () => {
      expect((await once('mine', content, sent)).json()).toMatchObject({ status: 422, code: 'idempotency.mismatch' })
    })
  })

  test('shares its keys with everything else that is sent, and with nobody else', async () => {
    const task = { payload: { title: 'a' }, headers: { 'idempotency-key': 'shared' } }
    expect((await ann.caller.call('POST', '/organizations/current/tasks', task)).statusCode).toBe(201)
    expect((await once('shared', pdf('shared'))).json()).toMatchObject({ status: 422, code: 'idempotency.mismatch' })
    expect((await once('shared', pdf('shared'), { caller: opened.zoe.caller })).statusCode).toBe(201)
  })

  test('under a key that is none is refused before it is read', async () => {
    const refused = await once('k'.repeat(201), pdf('long'))
    expect(refused.json()).toMatchObject({ status: 400, errors: [{ pointer: '#/idempotency-key', in: 'headers' }] })
  })

  test('many times at once is done once', async () => {
    const before = (await filesIn(opened)).length
    const answers = await Promise.all(Array.from({ length: 8 }, () => once('race', pdf('race'))))
    expect(answers.filter(({ statusCode }) => statusCode !== 201 && statusCode !== 409).map(({ body }) => body)).toEqual([])
    const done = answers.filter(({ statusCode }) => statusCode === 201)
    expect(done.filter(({ headers }) => !headers['idempotency-replayed'])).toHaveLength(1)
    expect(new Set(done.map(answer => answer.json<{ id: string }>().id)).size).toBe(1)
    await tidyUp(opened, ann.organization)
    expect((await filesIn(opened)).length).toBe(before + 1)
  })

  test('counts from when all of it is here: of two, the one that is here first is done, and the other gets its answer', async () => {
    const slow = Promise.withResolvers<void>()
    async function* parts() {
      yield Buffer.from('%PDF-1.7\n')
      await slow.promise
      yield Buffer.from('overtaken')
    }
    const before = (await filesIn(opened)).length
    const overtaken = once('overtaken', Readable.from(parts()))
    await expect.poll(async () => (await filesIn(opened)).length, { timeout: 10_000 }).toBe(before + 1)
    const first = await once('overtaken', pdf('overtaken'))
    slow.resolve()
    expect([told(first).slice(0, 2), told(await overtaken)]).toEqual([
      [201, undefined],
      [201, 'true', ...told(first).slice(2)],
    ])
    await tidyUp(opened, ann.organization)
    expect((await filesIn(opened)).length).toBe(before + 1)
  })
})

describe('what came to nothing is not kept under its key', () => {
  test('a file that was refused', async () => {
    expect((await once('refused', Buffer.from('MZ no PDF'))).json()).toMatchObject({ status: 422, code: 'documents.content_mismatch' })
    expect(told(await once('refused', pdf('taken'))).slice(0, 2)).toEqual([201, undefined])
  })

  test('a file for which the store had no room', async () => {
    const { store, on } = opened
    let hasRoom = false
    const full: DocumentStore = {
      ...store,
      async put(key, content: Bytes) {
        await store.put(key, content)
        if (!hasRoom) throw new Error('There is no room.')
      },
    }
    await using host = daybookHost(on.daybook, { files: { store: full }, rateLimits: false })
    const caller = new Caller({ host })
    await caller.signIn('ann@acme.example')
    await expectNothingNew(opened, async () => {
      expect((await once('room', pdf('room'), { caller })).json()).toMatchObject({ status: 500, code: 'internal' })
    })
    hasRoom = true
    expect(told(await once('room', pdf('room'), { caller })).slice(0, 2)).toEqual([201, undefined])
  })

  test('a file that broke off on its way', async () => {
    const { on } = opened
    await using host = daybookHost(on.daybook, { files: { store: opened.store }, rateLimits: false, load: false })
    await host.listen({ port: 0 })
    const { port } = host.server.address() as AddressInfo
    const cookie = cookieIn(await new Caller({ host }).signIn('ann@acme.example'))
    const headers = { cookie, 'sec-fetch-site': 'same-origin', 'content-type': 'application/pdf', 'idempotency-key': 'broken off' }
    const before = (await filesIn(opened)).length
    const whole = pdf('broken off')
    const sending = request({ port, method: 'POST', path: `${base}?title=Once`, headers: { ...headers, 'content-length': whole.length } })
    sending.on('error', () => undefined).write(whole.subarray(0, 12))
    await expect.poll(async () => (await filesIn(opened)).length, { timeout: 10_000 }).toBe(before + 1)
    sending.destroy()
    expect(told(await once('broken off', whole)).slice(0, 2)).toEqual([201, undefined])
    await tidyUp(opened, ann.organization)
    await expect.poll(async () => (await filesIn(opened)).length, { timeout: 10_000 }).toBe(before + 1)
  })
})
