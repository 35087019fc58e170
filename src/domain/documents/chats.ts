import { now } from '../../kernel/clock.ts'
import { storableText } from '../../kernel/storable.ts'
import { inTurn, lockedAfresh, type ScopedEntityManager } from '../../orm/index.ts'
import type { User } from '../identity/index.ts'
import type { Document } from './document.entity.ts'
import { ChatMessage, type ChatRole, type Citation, DocumentChat } from './document-chat.entity.ts'
import { DocumentEmbedding } from './document-embedding.entity.ts'
import { CitationRefusedError } from './documents.errors.ts'

/** Opens a chat of one person about one document; it is called like the document unless said otherwise. */
export function startChat(em: ScopedEntityManager, document: Document, user: User, title = document.title): DocumentChat {
  return em.create(DocumentChat, { document, user, title: storableText(title) })
}

/** A person's chats, the latest first. */
export function chatsOf(em: ScopedEntityManager, user: Pick<User, 'id'>): Promise<DocumentChat[]> {
  return em.find(DocumentChat, { user: user.id }, { orderBy: [{ lastMessageAt: 'desc nulls last' }, { id: 'desc' }] })
}

/** What was said, from the beginning; with `last` only so much of its end. */
export async function messagesOf(em: ScopedEntityManager, chat: Pick<DocumentChat, 'id'>, last?: number): Promise<ChatMessage[]> {
  const options = { orderBy: { position: 'desc' as const }, ...(last !== undefined && { limit: last }) }
  return (await em.find(ChatMessage, { chat: chat.id }, options)).toReversed()
}

export interface MessageInput {
  readonly role: ChatRole
  readonly content: string
  readonly citations?: readonly Citation[]
  readonly tokens?: number
}

/** Says something at the end of a chat. Who says something at once takes turns, so each has a place of its own. */
export function addMessage(
  em: ScopedEntityManager,
  { id }: Pick<DocumentChat, 'id'>,
  { role, content, citations = [], tokens }: MessageInput,
  at: Date = now(),
): Promise<ChatMessage> {
  return inTurn(em, async inner => {
    const chat = await lockedAfresh(inner, DocumentChat, id)
    await requireQuoted(inner, chat.document.id, citations)
    const [last] = await messagesOf(inner, chat, 1)
    chat.heard(at)
    const told = { role, content: storableText(content), citations, tokens: tokens ?? null, createdAt: at }
    return inner.create(ChatMessage, { ...told, chat, user: chat.user, position: (last?.position ?? 0) + 1 })
  })
}

/** Whatever a model claims, a citation is what stands in the document, but for how it is broken into lines. */
async function requireQuoted(em: ScopedEntityManager, document: string, citations: readonly Citation[]): Promise<void> {
  if (citations.length === 0) return
  const wanted = { document, chunkIndex: { $in: citations.map(({ chunkIndex }) => chunkIndex) } }
  const chunks = Map.groupBy(await em.find(DocumentEmbedding, wanted), ({ chunkIndex }) => chunkIndex)
  const isQuoted = ({ chunkIndex, quote }: Citation) => {
    const words = inOneLine(quote)
    return words !== '' && (chunks.get(chunkIndex) ?? []).some(({ content }) => inOneLine(content).includes(words))
  }
  const foreign = citations.filter(citation => !isQuoted(citation))
  if (foreign.length > 0)
    throw new CitationRefusedError(
      document,
      foreign.map(({ chunkIndex }) => chunkIndex),
    )
}

function inOneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}
