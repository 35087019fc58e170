import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import {
  addDocument,
  Document,
  type DocumentInput,
  type DocumentStore,
  folderStore,
  newStorageKey,
  Organization,
  removeDocument,
  removeStrayFiles,
  storeDocument,
  StrayFile,
} from '../../src/entities.ts'
import { jobsWith, runJob } from '../../src/jobs/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { history, replayProblems, restore } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'

let daybook: Daybook
let tenant: string
let directory: string
let store: DocumentStore

beforeAll(async () => {
  daybook = await openTestDaybook({ poolMax: 20 })
})
afterAll(() => daybook.close())
beforeEach(async () => {
  tenant = newId()
  directory = await mkdtemp(join(tmpdir(), 'daybook-documents-'))
  store = folderStore(directory)
  await work(async em => void em.create(Organization, { id: tenant, slug: `o-${tenant}`, name: 'O' }))
})
afterEach(() => rm(directory, { recursive: true }))

const scope = () => ({ tenant, actor: systemActor('reader') })
const work = <T>(does: (em: ScopedEntityManager) => Promise<T>): Promise<T> => daybook.transact(scope(), does)
const sha256 = (content: string) => createHash('sha256').update(content).digest('hex')
const input = (more: Partial<DocumentInput> = {}): DocumentInput => ({
  title: 'A letter',
  storageKey: newStorageKey(tenant),
  mimeType: 'application/pdf',
  sizeBytes: 7,
  sha256: sha256('content'),
  ...more,
})
const add = (more: Partial<DocumentInput> = {}) => work(em => addDocument(em, input(more)))
const change = (id: string, does: (document: Document) => void) => work(async em => does(await em.findOneOrFail(Document, id)))
const files = async () =>
  (await readdir(directory, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile()).map(({ name }) => name)

describe('a document', () => {
  test('is read, and the log tells it', async () => {
    const { id } = await add({ mimeType: ' Application/PDF ', title: ' A letter ' })
    await change(id, document => document.startProcessing())
    await change(id, document => document.complete({ ocrText: 'Dear all', pageCount: 1, ocrMeta: { engine: 'x' } }))
    const read = await work(em => em.findOneOrFail(Document, id))
    expect(read).toMatchObject({ title: 'A letter', mimeType: 'application/pdf', status: 'COMPLETED', ocrText: 'Dear all', sizeBytes: 7 })
    const told = await work(em => history(em, [Document, id]))
    expect(told.map(({ event }) => event.type)).toEqual(['document.created', 'document.updated', 'document.updated'])
    expect(JSON.stringify(told)).not.toContain('search_vector')
    await work(async em => expect(await replayProblems(em)).toEqual([]))
  })

  test.each([
    [{ title: ' \n' }, 'title'],
    [{ mimeType: 'pdf' }, 'type'],
    [{ mimeType: 'text/plain; charset=utf-8' }, 'type'],
    [{ mimeType: '../../etc' }, 'type'],
    [{ sizeBytes: -1 }, 'size'],
    [{ sizeBytes: 1.5 }, 'size'],
    [{ sha256: 'abc' }, 'sha256'],
    [{ sha256: sha256('content').toUpperCase() }, 'sha256'],
  ])('with %j is refused, because of its %s', async (more, part) => {
    await expect(add(more)).rejects.toMatchObject({ code: 'documents.invalid', message: expect.stringContaining(part) as string })
  })

  test.each([
    { title: ' \n' },
    { mimeType: 'pdf' },
    { mimeType: 'Text/Plain' },
    { sizeBytes: -1 },
    { sha256: 'abc' },
    { status: 'COMPLETED' as const },
    { status: 'FAILED' as const },
    { error: 'It is locked.' },
    { pageCount: -1 },
  ])('with %j is refused by the database too', async more => {
    await expect(work(async em => void em.create(Document, { ...input(), ...more }))).rejects.toMatchObject({ code: '23514' })
  })

  test('of the same content is found again, also by many at once', async () => {
    const ids = await Promise.all(Array.from({ length: 50 }, () => add().then(({ id }) => id)))
    expect(new Set(ids).size).toBe(1)
    expect(await work(em => em.count(Document))).toBe(1)
    await add({ sha256: sha256('other') })
    expect(await work(em => em.count(Document))).toBe(2)
  })

  test('of the same content is another one in another organization', async () => {
    const mine = await add()
    tenant = newId()
    expect((await add()).id).not.toBe(mine.id)
  })

  test('that couldn’t be read is given again, and not read again then', async () => {
    const failed = await add()
    await change(failed.id, document => document.startProcessing())
    await change(failed.id, document => document.fail('It is locked.'))
    const again = await add()
    expect(again.id).not.toBe(failed.id)
    await expect(change(failed.id, document => document.retry())).rejects.toMatchObject({
      code: '23505',
      constraint: 'document_same_file',
    })
    await work(async em => removeDocument(em, await em.findOneOrFail(Document, again.id)))
    await change(failed.id, document => document.retry())
    expect((await add()).id).toBe(failed.id)
  })

  test('with more different words than the database can keep is kept, and found by its first ones', async () => {
    const { id } = await add()
    const text = Array.from({ length: 120_000 }, (_, index) => `first${index}-word${index}`).join(' ')
    await change(id, document => document.startProcessing())
    await change(id, document => document.complete({ ocrText: text }))
    const found = (words: string) =>
      work(em => em.execute<{ id: string }[]>('select id from daybook_search_documents(?, 10) as f', [words]))
    expect(await found('first7')).toHaveLength(1)
    expect(await found('first119999')).toHaveLength(0)
  })
})

describe('an upload', () => {
  async function* bytes(...parts: string[]) {
    for (const part of parts) yield Buffer.from(part)
  }
  const upload = (content: AsyncIterable<Uint8Array> = bytes('con', 'tent'), more: { maxBytes?: number; title?: string } = {}) =>
    storeDocument(daybook.scope(scope()), store, content, { title: 'A letter', mimeType: 'text/plain', ...more })
  const soon = () => new Date(Date.now() + 60_000)
  const sweep = (at = soon()) => removeStrayFiles({ store, transact: work }, at)
  const strays = () => work(em => em.find(StrayFile, {}))

  test('becomes a document, measured as it came in', async () => {
    const document = await upload()
    expect(document).toMatchObject({ sizeBytes: 7, sha256: sha256('content'), status: 'PENDING', storageKey: expect.any(String) as string })
    expect(document.storageKey.startsWith(`${tenant}/`)).toBe(true)
    let text = ''
    for await (const part of await store.get(document.storageKey)) text += Buffer.from(part).toString()
    expect(text).toBe('content')
    expect(await strays()).toEqual([])
  })

  test('that is empty is a document of no bytes', async () => {
    expect(await upload(bytes())).toMatchObject({ sizeBytes: 0, sha256: sha256('') })
  })

  test('of what is there already adds nothing, and its file goes', async () => {
    const first = await upload()
    const second = await upload()
    expect([second.id, second.storageKey]).toEqual([first.id, first.storageKey])
    expect(await files()).toHaveLength(2)
    expect(await sweep()).toBe(1)
    expect(await files()).toEqual([first.storageKey.split('/')[1]])
    expect(await strays()).toEqual([])
  })

  test('that is too large, breaks off or is refused leaves nothing', async () => {
    const breaking = async function* () {
      yield Buffer.from('half')
      throw new Error('The line is dead.')
    }
    await expect(upload(undefined, { maxBytes: 6 })).rejects.toMatchObject({ code: 'documents.too_large', details: { maxBytes: 6 } })
    await expect(upload(breaking())).rejects.toThrow('The line is dead.')
    await expect(upload(undefined, { title: '' })).rejects.toMatchObject({ code: 'documents.invalid' })
    await upload(undefined, { maxBytes: 7 })
    expect(await sweep()).toBe(3)
    expect(await files()).toHaveLength(1)
    expect(await strays()).toEqual([])
  })

  test('whose process dies leaves a file that is removed after a day', async () => {
    const { promise: silence, reject: resume } = Promise.withResolvers<void>()
    const dying = async function* () {
      yield Buffer.from('half')
      await silence
    }
    const uploading = upload(dying())
    await expect.poll(files).toHaveLength(1)
    expect(await sweep()).toBe(0)
    expect(await sweep(new Date(Date.now() + 25 * 60 * 60_000))).toBe(1)
    expect(await files()).toEqual([])
    resume(new Error('It was dead.'))
    await expect(uploading).rejects.toThrow('It was dead.')
  })

  test('that took so long that its file is being removed is refused', async () => {
    const late = async function* () {
      yield Buffer.from('content')
      await work(em => em.nativeUpdate(StrayFile, {}, { attempts: 1 }))
    }
    await expect(upload(late())).rejects.toMatchObject({ code: 'documents.upload_late' })
    expect(await work(em => em.count(Document))).toBe(0)
  })

  test('waits for nobody inside a transaction', async () => {
    const inside = work(em => storeDocument(em, store, bytes('a'), { title: 'A', mimeType: 'text/plain' }))
    await expect(inside).rejects.toMatchObject({ code: 'documents.call_inside_transaction' })
    expect(await files()).toEqual([])
  })

  test('is removed with its document, once that is certain', async () => {
    const { id } = await upload()
    const undone = work(async em => {
      await removeDocument(em, await em.findOneOrFail(Document, id))
      throw new Error('Not yet.')
    })
    await expect(undone).rejects.toThrow('Not yet.')
    expect([await sweep(), (await files()).length]).toEqual([0, 1])
    await work(async em => removeDocument(em, await em.findOneOrFail(Document, id)))
    expect(await files()).toHaveLength(1)
    expect([await sweep(), await files()]).toEqual([1, []])
    expect(await sweep()).toBe(0)
  })

  test('is removed however its document is deleted', async () => {
    await upload()
    await work(em => em.execute('delete from document'))
    expect([await sweep(), await files()]).toEqual([1, []])
  })

  test('whose document was restored in time stays', async () => {
    const { id } = await upload()
    await work(async em => removeDocument(em, await em.findOneOrFail(Document, id)))
    await work(em => restore(em, [Document, id]))
    expect([await sweep(), (await files()).length]).toEqual([0, 1])
    expect(await strays()).toEqual([])
  })

  test('whose file can’t be removed is tried again, and says why', async () => {
    await upload()
    await work(em => em.execute('delete from document'))
    const broken = { ...store, delete: () => Promise.reject(new Error('The disk is away.')) }
    expect(await removeStrayFiles({ store: broken, transact: work }, soon())).toBe(1)
    expect(await strays()).toMatchObject([{ attempts: 1, error: 'The disk is away.' }])
    expect(await sweep()).toBe(0)
    expect([await sweep(new Date(Date.now() + 60 * 60_000)), await files(), await strays()]).toEqual([1, [], []])
  })

  test('is removed by the job, for each organization', async () => {
    await upload()
    await work(em => em.execute('delete from document'))
    const job = jobsWith({ store }).find(({ name }) => name === 'remove-files')!
    expect(await runJob(daybook, job, { at: soon(), dryRun: true })).toMatchObject({ status: 'OK' })
    expect(await files()).toHaveLength(1)
    expect(await runJob(daybook, job, { at: soon() })).toMatchObject({ status: 'OK', failed: 0 })
    expect([await files(), await strays()]).toEqual([[], []])
    expect(jobsWith().map(({ name }) => name)).not.toContain('remove-files')
  })
})
