import { CheckConstraintViolationException, LockMode } from '@mikro-orm/core'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { type Chunk, chunksOf } from './chunks-of.ts'
import { Document } from './document.entity.ts'
import { DocumentEmbedding } from './document-embedding.entity.ts'
import { DimensionMismatchError, DocumentUnreadError, EmbeddingFailedError, EmbeddingRefusedError } from './documents.errors.ts'
import { requireOutside } from './outside-transaction.ts'

/** Asks a model where texts stand; as many vectors as texts, in their order. */
export type Embed = (texts: string[]) => Promise<number[][]>

export interface IndexOptions {
  /** Named with whatever makes its vectors others. */
  readonly model: string
  readonly size?: number
  readonly overlap?: number
  /** Without one it is estimated. */
  readonly countTokens?: (text: string) => number
}

const textsAtOnce = 64

/**
 * Cuts a document's text into chunks and keeps where each stands, in place of what the same model said before; how many there are. The model
 * is asked between transactions; of two that index the same document at once, the later stays.
 */
export async function indexDocument(
  em: ScopedEntityManager,
  { id, status, ocrText }: Document,
  embed: Embed,
  { model, size = 1_200, overlap = 150, countTokens = estimatedTokens }: IndexOptions,
): Promise<number> {
  requireOutside(em, 'indexDocument')
  if (status !== 'COMPLETED') throw new DocumentUnreadError(id, status)
  const chunks = chunksOf(ocrText ?? '', { size, overlap })
  const vectors = await embedAll(chunks, embed, model)
  const rows = chunks.map((chunk, index) => ({
    ...chunk,
    chunkIndex: index,
    embedding: vectors[index]!,
    model,
    tokenCount: countTokens(chunk.content),
  }))
  await naming(model, () =>
    em.transactional(async inner => {
      const document = await inner.findOneOrFail(Document, id, { lockMode: LockMode.PESSIMISTIC_WRITE, fields: ['id'] })
      await inner.nativeDelete(DocumentEmbedding, { document: id, model })
      for (const row of rows) inner.create(DocumentEmbedding, { ...row, document: inner.getReference(Document, document.id) })
    }),
  )
  return rows.length
}

/** The length of a model's vectors in this organization; undefined where there are none. */
export async function dimensionOf(em: ScopedEntityManager, model: string): Promise<number | undefined> {
  const [any] = await em.find(DocumentEmbedding, { model }, { limit: 1, fields: ['embedding'] })
  return any?.embedding.length
}

/** As it will be stored, in single precision, or refused to whoever sent it. */
export function vectorOf(numbers: readonly number[], model: string): number[] {
  const vector = numbers.map(Math.fround)
  const doubt = doubtAbout(vector)
  if (doubt) throw new EmbeddingRefusedError(model, doubt)
  return vector
}

/** What a model answers, as many vectors as texts. Where they are none, it isn't the fault of whoever asked. */
export async function embedded(texts: string[], embed: Embed, model: string): Promise<number[][]> {
  const answer = await embed(texts)
  if (answer.length !== texts.length) throw new EmbeddingFailedError(model, `${answer.length} vectors for ${texts.length} texts`)
  return answer.map(numbers => {
    const vector = numbers.map(Math.fround)
    const doubt = doubtAbout(vector)
    if (doubt) throw new EmbeddingFailedError(model, doubt)
    return vector
  })
}

function doubtAbout(vector: readonly number[]): string | undefined {
  if (vector.length === 0) return 'it has no numbers'
  if (!vector.every(Number.isFinite)) return 'it holds something that is no finite number'
  if (vector.every(number => number === 0)) return 'it is all zeros, which points nowhere'
  return undefined
}

async function embedAll(chunks: readonly Chunk[], embed: Embed, model: string): Promise<number[][]> {
  const vectors: number[][] = []
  for (let from = 0; from < chunks.length; from += textsAtOnce) {
    const texts = chunks.slice(from, from + textsAtOnce).map(({ content }) => content)
    vectors.push(...(await embedded(texts, embed, model)))
  }
  if (new Set(vectors.map(({ length }) => length)).size > 1) throw new EmbeddingFailedError(model, 'its vectors differ in length')
  return vectors
}

/** The database compares with what is there, also with what came a moment ago. */
async function naming(model: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const isOther =
      error instanceof CheckConstraintViolationException && (error as { constraint?: string }).constraint === 'document_embedding_dimension'
    throw isOther ? new DimensionMismatchError(model, { cause: error }) : error
  }
}

/** Models cut words differently; in European languages a token has about four characters. */
function estimatedTokens(text: string): number {
  return Math.ceil(text.length / 4)
}
