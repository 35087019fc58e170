import { now } from '../../kernel/clock.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { type AIProviderConfig, settleTokens, useTokens } from '../agents/index.ts'
import { addMessage, messagesOf } from './chats.ts'
import type { ChatMessage, ChatRole, Citation, DocumentChat } from './document-chat.entity.ts'
import { CitationFailedError, CitationRefusedError } from './documents.errors.ts'
import { type Embed, embedded } from './index-document.ts'
import { requireOutside } from './outside-transaction.ts'
import { searchByMeaning } from './search-documents.ts'

export interface Question {
  readonly question: string
  /** What the document says about it, the nearest first. */
  readonly chunks: readonly { readonly chunkIndex: number; readonly content: string; readonly similarity: number }[]
  readonly history: readonly { readonly role: ChatRole; readonly content: string }[]
  /** No answer may cost more, question included. */
  readonly maxTokens?: number
}

export interface ModelAnswer {
  readonly content: string
  readonly citations?: readonly Citation[]
  readonly tokens?: number
}

/** Asks a model. */
export type Ask = (question: Question) => Promise<ModelAnswer>

export interface AnswerOptions {
  readonly embed: Embed
  readonly ask: Ask
  /** The model of `embed`, by which the document is indexed. */
  readonly model: string
  /** How many chunks the model reads. */
  readonly limit?: number
  /** How many earlier messages it reads. */
  readonly memory?: number
  /** Whose tokens are used, and how many one answer may use. They are counted before anybody is asked, and corrected afterwards. */
  readonly budget?: { readonly provider: AIProviderConfig; readonly maxTokens: number }
  readonly at?: Date
}

export interface Exchange {
  readonly question: ChatMessage
  readonly answer: ChatMessage
}

/**
 * Has a question answered from what the document says, and keeps both. It reads, then asks, then writes, so that no transaction waits for a
 * model. Where the model fails, or quotes what the document doesn't say, nothing is kept but what was paid.
 */
export async function answerQuestion(
  em: ScopedEntityManager,
  chat: DocumentChat,
  question: string,
  options: AnswerOptions,
): Promise<Exchange> {
  requireOutside(em, 'answerQuestion')
  const { budget, ask, at = now() } = options
  const maxTokens = budget?.maxTokens
  const ground = await readGround(em, chat, question, options)
  if (budget) await em.transactional(inner => useTokens(inner, budget.provider, budget.maxTokens, at))
  const answer = await ask({ question, ...ground, ...(maxTokens !== undefined && { maxTokens }) }).catch(async (error: unknown) => {
    await settle(em, options, 0, at)
    throw error
  })
  const { tokens, ...said } = answer
  const counted = tokens !== undefined && isCount(tokens) && { tokens }
  await settle(em, options, counted ? counted.tokens : (maxTokens ?? 0), at)
  return em.transactional(async inner => ({
    question: await addMessage(inner, chat, { role: 'USER', content: question }, at),
    answer: await addMessage(inner, chat, { role: 'ASSISTANT', ...said, ...counted }, now()).catch(blameModel),
  }))
}

/** A model that miscounts pays what it was allowed to use, and gives nobody anything back. */
function isCount(tokens: number): boolean {
  return Number.isSafeInteger(tokens) && tokens >= 0
}

/** Whoever hands a citation in is told that it is wrong; here the model has. */
function blameModel(error: unknown): never {
  if (!(error instanceof CitationRefusedError)) throw error
  const { document, chunks } = error.details
  throw new CitationFailedError(document, chunks, { cause: error })
}

async function readGround(
  em: ScopedEntityManager,
  chat: DocumentChat,
  question: string,
  { embed, model, limit = 6, memory = 20 }: AnswerOptions,
): Promise<Pick<Question, 'chunks' | 'history'>> {
  const [vector] = await embedded([question], embed, model)
  const hits = await searchByMeaning(em, vector!, { model, limit, document: chat.document })
  const history = await messagesOf(em, chat, memory)
  return {
    chunks: hits.map(({ chunk: { chunkIndex, content }, similarity }) => ({ chunkIndex, content, similarity })),
    history: history.map(({ role, content }) => ({ role, content })),
  }
}

/** What was counted before, and wasn't used, is given back. */
async function settle(em: ScopedEntityManager, { budget }: AnswerOptions, used: number, at: Date): Promise<void> {
  if (budget) await em.transactional(inner => settleTokens(inner, budget.provider, { counted: budget.maxTokens, used }, at))
}
