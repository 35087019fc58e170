import { Type } from 'typebox'
import {
  addMessage,
  ChatMessage,
  Document,
  DocumentChat,
  DocumentEmbedding,
  removeDocument,
  searchByMeaning,
  searchDocuments,
  searchHybrid,
  startChat,
  StrayFile,
} from '../../../domain/documents/index.ts'
import { User } from '../../../domain/identity/index.ts'
import { exactly, idField, nameField, nullable } from '../../fields.ts'
import { PersonRequiredError } from '../../http.errors.ts'
import type { Work } from '../../in-tenant.ts'
import { found } from '../found.ts'
import { action, creation, resource, sent } from '../resource.ts'

const chatBody = exactly({ document: idField(), title: Type.Optional(nameField()) })

const messageBody = exactly({ chat: idField(), content: Type.String({ minLength: 1, maxLength: 20_000 }) })

/** As a model of the client's has it. */
const vector = () => Type.Array(Type.Number(), { minItems: 1, maxItems: 16_000 })
const most = () => Type.Optional(Type.Integer({ minimum: 1, maximum: 100 }))
const meaningBody = exactly({ vector: vector(), model: nameField(), document: Type.Optional(idField()), limit: most() })
const hybridBody = exactly({ words: Type.String({ minLength: 1, maxLength: 500 }), vector: vector(), model: nameField(), limit: most() })
const chunk = exactly({ document: idField(), chunkIndex: Type.Integer(), content: Type.String(), similarity: Type.Number() })
const hit = exactly({ document: idField(), score: Type.Number(), snippet: nullable(Type.String()), chunkIndex: nullable(Type.Integer()) })

const readingBody = exactly({
  ocrText: Type.String({ maxLength: 50_000 }),
  ocrMeta: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  pageCount: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
})

/** A chat is its person's: no other person reads it, and no program starts one. */
async function personIn({ em, user }: Work): Promise<User> {
  if (!user) throw new PersonRequiredError()
  return em.findOneOrFail(User, user.id)
}

export const documents = [
  resource(Document, {
    write: ['title'],
    reserved: { storageKey: 'manage' },
    inputs: { title: nameField() },
    remove: false,
    search: async ({ em }, words, limit) => (await searchDocuments(em, words, { limit })).map(({ document }) => document),
    together: {
      'search-hybrid': sent('read', hybridBody, exactly({ items: Type.Array(hit) }), async ({ em }, body) => ({
        items: (await searchHybrid(em, body)).map(({ document, score, snippet = null, chunk: best }) => ({
          document: document.id,
          score,
          snippet,
          chunkIndex: best?.chunkIndex ?? null,
        })),
      })),
    },
    actions: {
      'start-processing': action('update', (_work, document: Document) => document.startProcessing()),
      complete: action('update', readingBody, (_work, document: Document, reading) => document.complete(reading)),
      fail: action('update', exactly({ error: Type.String({ minLength: 1, maxLength: 4_000 }) }), (_work, document: Document, { error }) =>
        document.fail(error),
      ),
      retry: action('update', (_work, document: Document) => document.retry()),
      remove: {
        permission: 'delete',
        answer: exactly({ removed: idField() }),
        run: async ({ em }, document: Document) => {
          await removeDocument(em, document)
          return { removed: document.id }
        },
      },
    },
  }),
  resource(DocumentEmbedding, {
    reserved: { embedding: 'manage' },
    together: {
      search: sent('read', meaningBody, exactly({ items: Type.Array(chunk) }), async ({ em }, { vector: wanted, document, ...search }) => {
        const only = document === undefined ? {} : { document: await found(em, Document, document) }
        const hits = await searchByMeaning(em, wanted, { ...search, ...only })
        const view = ({ chunk: { document: of, chunkIndex, content }, similarity }: (typeof hits)[number]) => ({
          document: of.id,
          chunkIndex,
          content,
          similarity,
        })
        return { items: hits.map(view) }
      }),
    },
  }),
  resource(DocumentChat, {
    own: 'user',
    create: creation(chatBody, async (work, { document, title }) =>
      startChat(work.em, await found(work.em, Document, document), await personIn(work), title),
    ),
    remove: true,
  }),
  resource(ChatMessage, {
    own: 'user',
    create: creation(messageBody, async (work, { chat, content }) => {
      const user = await personIn(work)
      const own = await found(work.em, DocumentChat, chat, { user: user.id })
      return addMessage(work.em, own, { role: 'USER', content })
    }),
    remove: false,
  }),
  // Its key is reserved as a document's is; what failed may name it.
  resource(StrayFile, { reserved: { storageKey: ['document:manage'], error: ['document:manage'] } }),
]
