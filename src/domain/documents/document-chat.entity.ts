import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { Document } from './document.entity.ts'

/** What one person asks about one document. */
export class DocumentChat extends TenantRow {
  declare document: Ref<Document>
  declare user: Ref<User>
  declare title: string
  declare lastMessageAt?: Date | null

  /** Messages may arrive in another order than they were written. */
  heard(at: Date): void {
    if (!this.lastMessageAt || this.lastMessageAt < at) this.lastMessageAt = at
  }
}

export const DocumentChatSchema: EntitySchema<DocumentChat> = tenantEntity({
  class: DocumentChat,
  properties: {
    document: () => p.manyToOne(Document).ref().deleteRule('cascade'),
    user: () => p.manyToOne(User).ref().deleteRule('cascade'),
    title: p.text(),
    lastMessageAt: moment().nullable(),
  },
  indexes: [{ properties: ['user', 'lastMessageAt'] }, { properties: ['document'] }],
  immutable: ['document'],
  privateTo: 'user',
  audit: { personal: ['title'], person: 'user' },
})

export const chatRoles = ['USER', 'ASSISTANT', 'SYSTEM', 'TOOL'] as const
export type ChatRole = (typeof chatRoles)[number]

/** That a chunk of the document says these words. */
export interface Citation {
  readonly chunkIndex: number
  readonly quote: string
}

/** What was said in a chat, which nobody changes afterwards. */
export class ChatMessage extends TenantRow {
  declare chat: Ref<DocumentChat>
  /** Whose chat it is: it shows to nobody else, and stands in the log under their key. */
  declare user: Ref<User>
  /** Its place in the chat, from 1. */
  declare position: number
  declare role: ChatRole
  declare content: string
  declare citations: Opt<readonly Citation[]>
  /** What it has cost. */
  declare tokens?: number | null
}

export const ChatMessageSchema: EntitySchema<ChatMessage> = tenantEntity({
  class: ChatMessage,
  properties: {
    chat: () => p.manyToOne(DocumentChat).ref().deleteRule('cascade'),
    user: () => p.manyToOne(User).ref().deleteRule('cascade'),
    position: p.integer(),
    role: p.enum(chatRoles),
    content: p.text(),
    citations: p
      .json<readonly Citation[]>()
      .onCreate(() => [])
      .defaultRaw(`'[]'`),
    tokens: p.integer().nullable(),
  },
  // With the person, or else a place that is taken would tell of somebody else's chat.
  uniques: [{ properties: ['chat', 'position', 'user'] }],
  checks: [
    { name: 'chat_message_counts', expression: 'position > 0 and tokens >= 0' },
    { name: 'chat_message_citations', expression: `jsonb_typeof(citations) = 'array'` },
  ],
  // It stands with each message so that a message is found without its chat; so it has to be the chat's. A chat that isn't there, or isn't
  // seen, is the guard's to refuse.
  restrictions: [
    {
      name: 'of_its_chat',
      command: 'insert',
      check: `user_id = coalesce((select c.user_id from document_chat c where c.id = chat_message.chat_id), user_id)`,
    },
  ],
  access: 'append',
  privateTo: 'user',
  audit: { personal: ['content', 'citations'], person: 'user' },
})
