import { escapeHtml } from '../../kernel/escape-html.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { Document } from './document.entity.ts'
import { DocumentEmbedding } from './document-embedding.entity.ts'
import { DimensionMismatchError } from './documents.errors.ts'
import { dimensionOf, vectorOf } from './index-document.ts'

export interface WordHit {
  readonly document: Document
  readonly rank: number
  /** Where the words stand, without markup, and escaped: it may be put into a page as it is. */
  readonly snippet: string
}

/** The documents in whose title or text these words stand, the best first: `invoice "acme gmbh" -draft`. */
export async function searchDocuments(em: ScopedEntityManager, words: string, { limit = 20 } = {}): Promise<WordHit[]> {
  const sql = 'select id, rank, snippet from daybook_search_documents(?, ?) as found'
  const rows = await ask<{ id: string; rank: number; snippet: string }>(em, sql, [words, limit])
  const documents = await documentsOf(
    em,
    rows.map(({ id }) => id),
  )
  return rows.flatMap(({ id, rank, snippet }) => {
    const document = documents.get(id)
    return document ? [{ document, rank, snippet: escapeHtml(snippet) }] : []
  })
}

export interface MeaningSearch {
  readonly model: string
  readonly limit?: number
  /** Searches this one alone. */
  readonly document?: Pick<Document, 'id'>
}

export interface MeaningHit {
  readonly chunk: DocumentEmbedding
  /** The cosine of the angle between the two: 1 where they mean the same. */
  readonly similarity: number
}

/** The chunks that mean what a vector says, the nearest first. The vector is of the same model as theirs. */
export async function searchByMeaning(
  em: ScopedEntityManager,
  vector: readonly number[],
  { model, limit = 10, document }: MeaningSearch,
): Promise<MeaningHit[]> {
  const query = vectorOf(vector, model)
  const dimension = await dimensionOf(em, model)
  if (dimension === undefined) return []
  if (dimension !== query.length) throw new DimensionMismatchError(model)
  const sql = 'select id, similarity from daybook_search_embeddings(?::real[], ?, ?, ?) as found'
  const rows = await ask<{ id: string; similarity: number }>(em, sql, [`{${query.join(',')}}`, model, limit, document?.id ?? null])
  const found = await em.find(DocumentEmbedding, { id: { $in: rows.map(({ id }) => id) } })
  const chunks = new Map(found.map(chunk => [chunk.id, chunk]))
  return rows.flatMap(({ id, similarity }) => {
    const chunk = chunks.get(id)
    return chunk ? [{ chunk, similarity }] : []
  })
}

export interface HybridSearch {
  readonly words: string
  /** Where the words stand, by the same model as the chunks. */
  readonly vector: readonly number[]
  readonly model: string
  readonly limit?: number
}

export interface HybridHit {
  readonly document: Document
  readonly score: number
  /** Where its words were found. */
  readonly snippet?: string
  /** The chunk of it that means the most of what was asked. */
  readonly chunk?: DocumentEmbedding
}

/** How much the first places count more than the next: what has proved itself where rankings are fused. */
const flatness = 60

/**
 * The documents that both searches find, and then those that one does: each gives 1 / (60 + place), so that ranks are added and not numbers
 * that measure different things.
 */
export async function searchHybrid(em: ScopedEntityManager, { words, vector, model, limit = 20 }: HybridSearch): Promise<HybridHit[]> {
  const byWords = await searchDocuments(em, words, { limit: 2 * limit })
  // Several chunks of one document count as one.
  const chunks = await searchByMeaning(em, vector, { model, limit: 10 * limit })
  const byMeaning = [...Map.groupBy(chunks, ({ chunk }) => chunk.document.id).values()].map(([best]) => best!.chunk)
  const snippets = new Map(byWords.map(({ document, snippet }) => [document.id, snippet]))
  const best = new Map(byMeaning.map(chunk => [chunk.document.id, chunk]))
  const rankings = [[...snippets.keys()], [...best.keys()]]
  const documents = await documentsOf(em, rankings.flat())
  const scoreOf = (id: string) =>
    rankings.reduce((sum, ranking) => sum + (ranking.includes(id) ? 1 / (flatness + ranking.indexOf(id) + 1) : 0), 0)
  return [...documents.values()]
    .map(document => {
      const [snippet, chunk] = [snippets.get(document.id), best.get(document.id)]
      return { document, score: scoreOf(document.id), ...(snippet !== undefined && { snippet }), ...(chunk && { chunk }) }
    })
    .toSorted((a, b) => b.score - a.score || (a.document.id < b.document.id ? -1 : 1))
    .slice(0, limit)
}

/** A statement of one's own knows the tenant only inside a transaction. */
function ask<Row extends object>(em: ScopedEntityManager, sql: string, values: unknown[]): Promise<Row[]> {
  const run = (inner: ScopedEntityManager) => inner.execute<Row[]>(sql, values)
  return em.isInTransaction() ? run(em) : em.transactional(run)
}

async function documentsOf(em: ScopedEntityManager, ids: string[]): Promise<Map<string, Document>> {
  return new Map((await em.find(Document, { id: { $in: ids } })).map(document => [document.id, document]))
}
