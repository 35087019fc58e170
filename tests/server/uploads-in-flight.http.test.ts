import type { LightMyRequestResponse } from 'fastify'
import { createHash } from 'node:crypto'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { addDocument, newStorageKey } from '../../src/entities.ts'
import { daybookHost } from '../../src/http/index.ts'
import { base, type DocumentHost, filesIn, openDocumentHost, pdf, rowsOf, tidyUp } from '../http/document-host.ts'
import { Caller, cookieIn, type SignedUp } from '../http/test-host.ts'

let opened: DocumentHost
let ann: SignedUp

beforeAll(async () => {
  opened = await openDocumentHost()
  ;({ ann } = opened)
})
afterAll(() => opened[Symbol.asyncDispose]())

const headersFor = (key: string) => ({ 'content-type': 'application/pdf', 'sec-fetch-site': 'same-origin', 'idempotency-key': key })
const once = (key: string, payload: Buffer): Promise<LightMyRequestResponse> =>
  ann.caller.call('POST', `${base}?title=Once`, { payload, headers: headersFor(key) })

const inTenant = <A>(work: Parameters<typeof opened.on.daybook.transact<A>>[1]) =>
  opened.on.daybook.transact({ tenant: ann.organization, actor: systemActor('test') }, work)

/** Another transaction adds the same content and neither commits nor ends, so whoever adds it waits. `end` rolls it back. */
async function holding(content: Buffer): Promise<{ readonly end: () => Promise<void> }> {
  const [begun, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const sha256 = createHash('sha256').update(content).digest('hex')
  const held = {
    title: 'Held',
    storageKey: newStorageKey(ann.organization),
    mimeType: 'application/pdf',
    sizeBytes: content.length,
    sha256,
  }
  const holder = inTenant(async em => {
    await addDocument(em, held)
    begun.resolve()
    await over.promise
    throw new Error('It was held.')
  })
  await begun.promise
  const end = async () => {
    over.resolve()
    await expect(holder).rejects.toThrow('It was held.')
  }
  return { end }
}

const waiting = () =>
  inTenant(async em => {
    const [row] = await em.execute<{ count: number }[]>(
      `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    return row!.count
  })

test('while a file is being taken in, its key is refused, and what was sent under it leaves nothing', async () => {
  const content = pdf('in flight')
  const before = (await filesIn(opened)).length
  const { end } = await holding(content)
  const first = once('in flight', content)
  await expect.poll(waiting, { timeout: 10_000 }).toBeGreaterThan(0)
  for (const other of [content, pdf('another')]) {
    expect((await once('in flight', other)).json()).toMatchObject({ status: 409, code: 'idempotency.in_flight' })
  }
  await end()
  const answered = await first
  const again = await once('in flight', content)
  expect([answered.statusCode, again.statusCode, again.headers['idempotency-replayed'], again.json()]).toEqual([
    201,
    201,
    'true',
    answered.json(),
  ])
  await tidyUp(opened, ann.organization)
  expect([(await filesIn(opened)).length, (await rowsOf(opened, ann.organization)).strays]).toEqual([before + 1, []])
})

test('whoever goes away while their file is being taken in has sent nothing, and may send it again', async () => {
  const content = pdf('gone away')
  const [before, { documents }] = [(await filesIn(opened)).length, await rowsOf(opened, ann.organization)]
  await using host = daybookHost(opened.on.daybook, { files: { store: opened.store }, rateLimits: false, load: false })
  await host.listen({ port: 0 })
  const { port } = host.server.address() as AddressInfo
  const cookie = cookieIn(await new Caller({ host }).signIn('ann@acme.example'))
  const { end } = await holding(content)
  const sending = request({ port, method: 'POST', path: `${base}?title=Once`, headers: { ...headersFor('gone away'), cookie } })
  sending.on('error', () => undefined).end(content)
  await expect.poll(waiting, { timeout: 10_000 }).toBeGreaterThan(0)
  sending.destroy()
  await expect.poll(waiting, { timeout: 10_000 }).toBe(0)
  await end()
  expect((await rowsOf(opened, ann.organization)).documents).toBe(documents)
  const again = await once('gone away', content)
  expect([again.statusCode, again.headers['idempotency-replayed']]).toEqual([201, undefined])
  await tidyUp(opened, ann.organization)
  expect([(await filesIn(opened)).length, (await rowsOf(opened, ann.organization)).strays]).toEqual([before + 1, []])
})
