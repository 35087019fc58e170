import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import {
  addDocument,
  Document,
  DocumentEmbedding,
  type Embed,
  indexDocument,
  newStorageKey,
  removeDocument,
  searchByMeaning,
  searchDocuments,
  searchHybrid,
} from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { administer } from '../../src/testing/test-server.ts'

let database: TestDatabase
let daybook: Daybook
let tenant: string

beforeAll(async () => {
  database = await openTestDatabase({ poolMax: 20 })
  daybook = database.daybook
})
afterAll(() => daybook.close())
beforeEach(() => {
  tenant = newId()
})

const em = () => daybook.scope({ tenant, actor: systemActor('reader') })
const work = <T>(does: (inner: ScopedEntityManager) => Promise<T>): Promise<T> =>
  daybook.transact({ tenant, actor: systemActor('reader') }, does)

function read(title: string, ocrText = ''): Promise<Document> {
  return work(async inner => {
    const sha256 = createHash('sha256').update(newId()).digest('hex')
    const document = await addDocument(inner, { title, storageKey: newStorageKey(tenant), mimeType: 'text/plain', sizeBytes: 1, sha256 })
    document.startProcessing()
    document.complete({ ocrText })
    return document
  })
}

/** Numbers that look like chance and are the same each time. */
function vectorOf(text: string, dimension = 8): number[] {
  const bytes = createHash('sha512').update(text).digest()
  return Array.from({ length: dimension }, (_, index) => bytes[index]! / 128 - 1 || 0.5)
}
const embed: Embed = texts => Promise.resolve(texts.map(text => vectorOf(text)))
const index = (document: Document, model = 'm', size = 20, using = embed) =>
  indexDocument(em(), document, using, { model, size, overlap: 0 })
const chunksOf = (document: Document, model = 'm') =>
  em().find(DocumentEmbedding, { document, model }, { orderBy: { chunkIndex: 'asc' }, populate: ['embedding'] })

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, at) => sum + value * y[at]!, 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

describe('an index', () => {
  const text = 'It rains in Spain. It snows in Norway. It is dry in Egypt.'

  test('has a vector for each piece of the text, and where it stands', async () => {
    const document = await read('Weather', text)
    expect(await index(document)).toBe(3)
    const chunks = await chunksOf(document)
    expect(chunks.map(({ content }) => content)).toEqual(['It rains in Spain. ', 'It snows in Norway. ', 'It is dry in Egypt.'])
    expect(chunks.map(({ chunkIndex, startsAt, tokenCount }) => [chunkIndex, startsAt, tokenCount])).toEqual([
      [0, 0, 5],
      [1, 19, 5],
      [2, 39, 5],
    ])
    for (const { content, embedding } of chunks) expect(embedding).toEqual(vectorOf(content).map(Math.fround))
  })

  test('takes the place of what the same model said before', async () => {
    const document = await read('Weather', text)
    await index(document)
    await index(document, 'other')
    expect(await index(document, 'm', 100)).toBe(1)
    expect((await chunksOf(document)).map(({ content }) => content)).toEqual([text])
    expect(await chunksOf(document, 'other')).toHaveLength(3)
  })

  test('that several make at once is whole, and one of theirs', async () => {
    const document = await read('Weather', text)
    const sizes = [20, 30, 100, 20, 30, 100, 20, 30]
    const made = await Promise.all(sizes.map(size => index(document, 'm', size)))
    const chunks = await chunksOf(document)
    expect(made).toContain(chunks.length)
    expect(chunks.map(({ chunkIndex }) => chunkIndex)).toEqual(chunks.map((_, at) => at))
    expect(chunks.map(({ content }) => content).join('')).toBe(text)
  })

  test('asks the model for some texts at a time', async () => {
    const asked: number[] = []
    const document = await read('Long', 'word. '.repeat(300))
    await index(document, 'm', 6, texts => {
      asked.push(texts.length)
      return embed(texts)
    })
    expect(asked).toEqual([64, 64, 64, 64, 44])
  })

  test('isn’t made of what isn’t read, nor inside a transaction', async () => {
    const sha256 = createHash('sha256').update(newId()).digest('hex')
    const told = { title: 'A', storageKey: newStorageKey(tenant), mimeType: 'text/plain', sizeBytes: 1, sha256 }
    const unread = await work(inner => addDocument(inner, told))
    await expect(index(unread)).rejects.toMatchObject({ code: 'documents.unread', details: { status: 'PENDING' } })
    const document = await read('Weather', text)
    const inside = work(inner => indexDocument(inner, document, embed, { model: 'm' }))
    await expect(inside).rejects.toMatchObject({ code: 'documents.call_inside_transaction' })
  })

  test.each([
    ['a NaN', [[Number.NaN, 1]]],
    ['an infinite number', [[1, Number.POSITIVE_INFINITY]]],
    ['a number too large for single precision', [[1, 1e39]]],
    ['zeros', [[0, -0]]],
    ['numbers too small for single precision', [[1e-60, 0]]],
    ['no numbers', [[]]],
    ['no vector', []],
    ['two vectors', [[1], [1]]],
  ])('keeps nothing where the model answers %s', async (_what, vectors) => {
    const document = await read('Weather', 'It rains.')
    const attempt = index(document, 'm', 20, () => Promise.resolve(vectors))
    await expect(attempt).rejects.toMatchObject({ code: 'documents.embedding_failed', details: { model: 'm' } })
    expect(await chunksOf(document)).toEqual([])
  })

  test.each(['{}', '{NaN,1}', '{Infinity}', '{-Infinity}', '{0,0}', '{NULL,1}', '{{1,2},{3,4}}'])(
    'has no vector %s in the database either',
    async literal => {
      const { id } = await read('Weather', 'It rains.')
      const insert = work(inner =>
        inner.execute(
          `insert into document_embedding (id, tenant_id, document_id, chunk_index, content, embedding, model, token_count)
             values (?, ?, ?, 0, 'a', ?::real[], 'm', 1)`,
          [newId(), tenant, id, literal],
        ),
      )
      await expect(insert).rejects.toMatchObject({ code: '23514', constraint: 'document_embedding_direction' })
    },
  )

  test('has vectors of one length for each model in an organization', async () => {
    const document = await read('Weather', 'It rains.')
    await index(document)
    const longer: Embed = texts => Promise.resolve(texts.map(some => vectorOf(some, 9)))
    const refused = { code: 'documents.dimension_mismatch', details: { model: 'm' } }
    await expect(index(await read('More', 'It snows.'), 'm', 20, longer)).rejects.toMatchObject(refused)
    const mixed: Embed = texts => Promise.resolve(texts.map((some, at) => vectorOf(some, 8 + at)))
    const failed = { code: 'documents.embedding_failed', details: { model: 'new' } }
    await expect(index(await read('Mixed', text), 'new', 20, mixed)).rejects.toMatchObject(failed)
    await index(document, 'm@9', 20, longer)
    // Nothing of the model is left to compare with, so its next vectors say how long they are.
    await index(document, 'm', 20, longer)
    tenant = newId()
    await index(await read('Elsewhere', 'It rains.'))
  })

  test.each([
    `update document_embedding set embedding = '{1}'`,
    `insert into document_embedding (id, tenant_id, document_id, chunk_index, content, embedding, model, token_count)
       select gen_random_uuid(), tenant_id, document_id, n, 'a', array_fill(1::real, array[n]), 'new', 1
       from document_embedding, generate_series(5, 6) n where chunk_index = 0`,
  ])('has vectors of one length, whoever writes: %s', async sql => {
    await index(await read('Weather', text))
    await expect(work(inner => inner.execute(sql))).rejects.toMatchObject({ code: '23514', constraint: 'document_embedding_dimension' })
  })

  test('has vectors of one length also where the first ones come at once', async () => {
    const documents = await Promise.all(Array.from({ length: 10 }, (_, at) => read(`Weather ${at}`, 'It rains.')))
    const results = await Promise.allSettled(
      documents.map((document, at) => index(document, 'm', 20, texts => Promise.resolve(texts.map(some => vectorOf(some, 8 + (at % 2)))))),
    )
    expect(new Set(results.flatMap(each => (each.status === 'rejected' ? [(each.reason as { code: string }).code] : [])))).toEqual(
      new Set(['documents.dimension_mismatch']),
    )
    const [row] = await work(inner =>
      inner.execute<{ lengths: number; rows: number }[]>(
        `select count(distinct cardinality(embedding))::int as lengths, count(*)::int as rows from document_embedding`,
      ),
    )
    expect(row).toEqual({ lengths: 1, rows: 5 })
  })

  test('goes with its document, and the log tells nothing of vectors', async () => {
    const document = await read('Weather', text)
    await index(document)
    await work(async inner => removeDocument(inner, await inner.findOneOrFail(Document, document.id)))
    expect(await em().count(DocumentEmbedding)).toBe(0)
    const told = await work(inner => inner.execute<{ entity: string }[]>('select distinct entity from audit_event'))
    expect(told).toEqual([{ entity: 'document' }])
  })
})

describe('the search by meaning', () => {
  const words = Array.from({ length: 120 }, (_, at) => `Sentence number ${at}.`)
  const query = vectorOf('What is asked')

  test('finds what an exact comparison in JavaScript finds, in its order', async () => {
    const documents = [await read('One', words.slice(0, 60).join(' ')), await read('Two', words.slice(60).join(' '))]
    for (const document of documents) await index(document, 'm', 22)
    const all = (await Promise.all(documents.map(each => chunksOf(each)))).flat()
    const expected = all
      .map(({ id, embedding }) => ({ id, similarity: cosine(embedding, query.map(Math.fround)) }))
      .toSorted((a, b) => b.similarity - a.similarity)
    const found = await searchByMeaning(em(), query, { model: 'm', limit: 500 })
    expect(found).toHaveLength(120)
    expect(found.map(({ chunk }) => chunk.id)).toEqual(expected.map(({ id }) => id))
    found.forEach(({ similarity }, at) => expect(similarity).toBeCloseTo(expected[at]!.similarity, 6))
    const [first] = found
    expect((await searchByMeaning(em(), query, { model: 'm', limit: 1 }))[0]!.chunk.id).toBe(first!.chunk.id)
    const within = await searchByMeaning(em(), query, { model: 'm', limit: 500, document: documents[1]! })
    expect(within.map(({ chunk }) => chunk.id)).toEqual(
      found.filter(({ chunk }) => chunk.document.id === documents[1]!.id).map(({ chunk }) => chunk.id),
    )
    expect(within).toHaveLength(60)
  })

  test('finds nothing of another organization, or of another model', async () => {
    await index(await read('Theirs', words.join(' ')), 'm', 22)
    const theirs = tenant
    tenant = newId()
    expect(await searchByMeaning(em(), query, { model: 'm', limit: 500 })).toEqual([])
    const mine = await read('Mine', 'Only this.')
    await index(mine)
    await index(mine, 'other')
    const found = await searchByMeaning(em(), query, { model: 'm', limit: 500 })
    expect(found.map(({ chunk }) => chunk.content)).toEqual(['Only this.'])
    const sql = `select id from daybook_search_embeddings(?::real[], 'm', 500) as found`
    const ids = (await work(inner => inner.execute<{ id: string }[]>(sql, [`{${query.join(',')}}`]))).map(({ id }) => id)
    expect(ids).toEqual(found.map(({ chunk }) => chunk.id))
    // Without a tenant there is nothing at all.
    expect(
      await daybook.orm.em
        .fork()
        .getConnection()
        .execute(sql, [`{${query.join(',')}}`]),
    ).toEqual([])
    // And naming a document of theirs doesn't help.
    tenant = theirs
    const [document] = await em().find(Document, {})
    tenant = mine.tenantId
    expect(await searchByMeaning(em(), query, { model: 'm', document: document! })).toEqual([])
  })

  test('refuses a vector that is none, or is of another model', async () => {
    expect(await searchByMeaning(em(), query, { model: 'm' })).toEqual([])
    await index(await read('One', 'Words.'))
    await expect(searchByMeaning(em(), [1, 2], { model: 'm' })).rejects.toMatchObject({ code: 'documents.dimension_mismatch' })
    await expect(searchByMeaning(em(), [0], { model: 'm' })).rejects.toMatchObject({ code: 'documents.embedding_refused' })
  })
})

test('what computes nearness is chosen by the owner alone', async () => {
  const sql = 'select daybook_use_pgvector() as uses'
  await expect(work(inner => inner.execute(sql))).rejects.toMatchObject({ code: '42501' })
  const { urls } = database
  if (!urls) return // The embedded database has no role to log in with.
  const [installed] = await administer(
    urls.administrator,
    `select exists (select from pg_available_extensions where name = 'vector') as uses`,
  )
  expect(await administer(urls.owner, sql)).toEqual([installed])
})

describe('the search by words', () => {
  const found = async (words: string, limit = 20) => (await searchDocuments(em(), words, { limit })).map(({ document }) => document.title)

  test('finds titles before texts, and says where', async () => {
    await read('Rain', 'Nothing of it')
    await read('Weather', `${'dull '.repeat(200)} it will rain in <b>Spain</b> & "Norway" ${'dull '.repeat(200)}`)
    await read('Sun', 'Shining')
    expect(await found('rain')).toEqual(['Rain', 'Weather'])
    expect(await found('rain -spain')).toEqual(['Rain'])
    expect(await found('rain', 1)).toEqual(['Rain'])
    expect(await found('"spain will"')).toEqual([])
    const [, hit] = await searchDocuments(em(), 'rain')
    expect(hit!.snippet).toContain('rain in')
    expect(hit!.snippet).toMatch(/&amp; &quot;Norway&quot;/)
    expect(hit!.snippet).not.toMatch(/[<>"']/)
    expect(hit!.snippet.length).toBeLessThan(400)
  })

  test('finds a document by its title before it is read', async () => {
    const sha256 = createHash('sha256').update(newId()).digest('hex')
    const told = { title: 'Contract', storageKey: newStorageKey(tenant), mimeType: 'text/plain', sizeBytes: 1, sha256 }
    await work(inner => addDocument(inner, told))
    const [hit] = await searchDocuments(em(), 'contract')
    expect(hit).toMatchObject({ snippet: 'Contract', document: { status: 'PENDING' } })
  })

  test('finds nothing of another organization', async () => {
    await read('Rain', 'rain')
    tenant = newId()
    expect(await found('rain')).toEqual([])
    const sql = `select id from daybook_search_documents('rain', 10) as found`
    expect(await work(inner => inner.execute(sql))).toEqual([])
    expect(await daybook.orm.em.fork().getConnection().execute(sql)).toEqual([])
  })

  test('is served by its index under row level security', async () => {
    const { urls } = database
    if (!urls) return // The embedded database has no statistics to read.
    await work(inner =>
      inner.execute(
        `insert into document (id, tenant_id, title, storage_key, mime_type, size_bytes, sha256)
           select gen_random_uuid(), ?, 'word' || n, n::text, 'text/plain', 1, lpad(n::text, 64, '0') from generate_series(1, 5000) n`,
        [tenant],
      ),
    )
    await administer(urls.administrator, 'analyze document')
    const scans = async () => {
      const sql = `select idx_scan::int as scans from pg_stat_user_indexes where indexrelname = 'document_search'`
      return (await administer(urls.administrator, sql))[0]!.scans as number
    }
    const before = await scans()
    const search = async (inner: ScopedEntityManager) => {
      await inner.execute('select pg_stat_force_next_flush()')
      return searchDocuments(inner, 'word4711')
    }
    expect((await work(search)).map(({ document }) => document.title)).toEqual(['word4711'])
    await expect.poll(scans, { timeout: 20_000 }).toBeGreaterThan(before)
  })
})

describe('both searches together', () => {
  test('put first what both find, and keep what one does', async () => {
    const both = await read('Both', 'rain')
    const words = await read('Rain', 'rain rain')
    const meaning = await read('Meaning', 'showers')
    await read('Neither', 'sun')
    const near: Embed = texts => Promise.resolve(texts.map(text => (text === 'rain' ? [1, 0.1] : [1, 0])))
    for (const document of [both, meaning]) await index(document, 'm', 20, near)
    const hits = await searchHybrid(em(), { words: 'rain', vector: [1, 0], model: 'm' })
    expect(hits.map(({ document, chunk, snippet }) => [document.title, Boolean(chunk), snippet !== undefined])).toEqual([
      ['Both', true, true],
      ...[['Rain', false, true] as const, ['Meaning', true, false] as const].toSorted(([a], [b]) =>
        (a === 'Rain' ? words.id : meaning.id) < (b === 'Rain' ? words.id : meaning.id) ? -1 : 1,
      ),
    ])
    expect(hits[0]!.score).toBeCloseTo(1 / 62 + 1 / 62)
    expect(hits[1]!.score).toBeCloseTo(1 / 61)
    expect(await searchHybrid(em(), { words: 'rain', vector: [1, 0], model: 'm', limit: 1 })).toHaveLength(1)
    tenant = newId()
    expect(await searchHybrid(em(), { words: 'rain', vector: [1, 0], model: 'm' })).toEqual([])
  })
})
