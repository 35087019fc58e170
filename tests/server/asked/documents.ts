import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { userActor } from '../../../src/context/index.ts'
import {
  addMessage,
  answerQuestion,
  chatsOf,
  configureProvider,
  Document,
  type Embed,
  folderStore,
  indexDocument,
  removeDocument,
  searchHybrid,
  startChat,
  storeDocument,
  User,
} from '../../../src/entities.ts'
import { countStrayFiles } from '../../../src/domain/documents/internal.ts'
import type { Calls } from './world.ts'

const embed: Embed = texts => Promise.resolve(texts.map(() => [1, 0]))

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

export const aboutDocuments: Calls = {
  async 'a file that is kept, read, asked about and removed'(world) {
    const { daybook, tenant, owner } = world
    const outside = () => daybook.scope({ tenant, actor: userActor(owner) })
    const store = folderStore(await mkdtemp(join(tmpdir(), 'daybook-')))
    const stored = await storeDocument(outside(), store, bytesOf('The pump stands in the cellar.'), {
      title: 'Pump',
      mimeType: 'text/plain',
    })
    const document = await world.work(async em => {
      const read = await em.findOneOrFail(Document, stored.id)
      read.startProcessing()
      read.complete({ ocrText: 'The pump stands in the cellar.' })
      return read
    })
    await indexDocument(outside(), document, embed, { model: 'asked' })
    await world.work(em => searchHybrid(em, { words: 'pump cellar', vector: [1, 0], model: 'asked' }))
    const [chat, provider] = await world.work(async em => {
      const user = await em.findOneOrFail(User, owner)
      const begun = startChat(em, await em.findOneOrFail(Document, document.id), user)
      await em.flush()
      await addMessage(em, begun, { role: 'USER', content: 'Hello' })
      await chatsOf(em, user)
      return [begun, await configureProvider(em, { name: 'Asked', provider: 'ANTHROPIC', model: 'asked' })] as const
    })
    const ask = () => Promise.resolve({ content: 'In the cellar.', citations: [], tokens: 10 })
    await answerQuestion(outside(), chat, 'Where is the pump?', { embed, ask, model: 'asked', budget: { provider, maxTokens: 100 } })
    await world.work(async em => removeDocument(em, await em.findOneOrFail(Document, document.id)))
    await world.work(em => countStrayFiles(em, new Date()))
  },
}
