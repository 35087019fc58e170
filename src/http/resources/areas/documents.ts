import { Type } from 'typebox'
import {
  addMessage,
  ChatMessage,
  Document,
  DocumentChat,
  DocumentEmbedding,
  removeDocument,
  searchDocuments,
  startChat,
  StrayFile,
} from '../../../domain/documents/index.ts'
import { User } from '../../../domain/identity/index.ts'
import { exactly, idField, nameField } from '../../fields.ts'
import { PersonRequiredError } from '../../http.errors.ts'
import type { Work } from '../../in-tenant.ts'
import { found } from '../found.ts'
import { action, creation, resource } from '../resource.ts'

const chatBody = exactly({ document: idField(), title: Type.Optional(nameField()) })

const messageBody = exactly({ chat: idField(), content: Type.String({ minLength: 1, maxLength: 20_000 }) })

/** A chat is its person's: nobody else reads it, and no program starts one. */
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
    actions: {
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
  resource(DocumentEmbedding, { reserved: { embedding: 'manage' } }),
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
  resource(StrayFile),
]
