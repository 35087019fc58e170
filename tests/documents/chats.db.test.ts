import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { userActor } from '../../src/context/index.ts'
import {
  addDocument,
  addMessage,
  type AIProviderConfig,
  answerQuestion,
  type AnswerOptions,
  ChatMessage,
  chatsOf,
  configureProvider,
  Document,
  DocumentChat,
  indexDocument,
  messagesOf,
  newStorageKey,
  type Question,
  removeDocument,
  startChat,
  TokenCount,
  type User,
} from '../../src/entities.ts'
import { erasePerson } from '../../src/audit/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { history, replayProblems } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { type Company, foundCompany, hireInto } from '../access/company.ts'

let daybook: Daybook
let company: Company
let document: Document
let chat: DocumentChat

beforeAll(async () => {
  daybook = await openTestDaybook({ poolMax: 20 })
})
afterAll(() => daybook.close())
beforeEach(async () => {
  company = await foundCompany(daybook)
  document = await read('Weather', 'It rains in Spain.\nIt snows in Norway. It is dry in Egypt.')
  chat = await work(async inner => startChat(inner, await inner.findOneOrFail(Document, document.id), company.owner))
})

const work = <T>(does: (inner: ScopedEntityManager) => Promise<T>): Promise<T> => company.as(undefined, does)
const em = () => daybook.scope({ tenant: company.organization, actor: userActor(company.owner) })
const at = (minute: number) => new Date(Date.UTC(2026, 10, 23, 10, minute))
const embed = (texts: string[]) => Promise.resolve(texts.map(text => [text.includes('Spain') ? 1 : 0.1, 1]))

async function read(title: string, ocrText: string): Promise<Document> {
  const made = await work(async inner => {
    const sha256 = createHash('sha256').update(newId()).digest('hex')
    const told = { title, storageKey: newStorageKey(company.organization.id), sizeBytes: 1 }
    const added = await addDocument(inner, { ...told, mimeType: 'text/plain', sha256 })
    added.startProcessing()
    added.complete({ ocrText })
    return added
  })
  await indexDocument(em(), made, embed, { model: 'm', size: 20, overlap: 0 })
  return made
}
const say = (content: string, minute = 0, more: object = {}) =>
  work(inner => addMessage(inner, chat, { role: 'USER', content, ...more }, at(minute)))
const said = async () => (await messagesOf(em(), chat)).map(({ position, role, content }) => [position, role, content])

describe('a chat', () => {
  test('keeps what was said in its order, and knows when it was said last', async () => {
    await say('First?', 5)
    await say('Second.', 3, { role: 'ASSISTANT', tokens: 12 })
    expect(await said()).toEqual([
      [1, 'USER', 'First?'],
      [2, 'ASSISTANT', 'Second.'],
    ])
    expect((await messagesOf(em(), chat, 1)).map(({ content, tokens }) => [content, tokens])).toEqual([['Second.', 12]])
    expect(await em().findOneOrFail(DocumentChat, chat.id)).toMatchObject({ title: 'Weather', lastMessageAt: at(5) })
    await work(async inner => expect(await replayProblems(inner)).toEqual([]))
  })

  test('in which fifty speak at once gives each a place of its own', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, index) => say(`Message ${index}`, index)))
    const messages = await messagesOf(em(), chat)
    expect(messages.map(({ position }) => position)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
    expect(new Set(messages.map(({ content }) => content)).size).toBe(50)
    expect((await em().findOneOrFail(DocumentChat, chat.id)).lastMessageAt).toEqual(at(49))
  })

  test('is not rewritten', async () => {
    await say('First?')
    for (const sql of [`update chat_message set content = 'Other'`, 'delete from chat_message']) {
      await expect(work(inner => inner.execute(sql))).rejects.toMatchObject({ code: '42501' })
    }
    const change = work(async inner => {
      ;(await inner.findOneOrFail(ChatMessage, { chat: chat.id })).content = 'Other'
    })
    await expect(change).rejects.toMatchObject({ code: '42501' })
    const twice = { role: 'USER' as const, content: 'a', position: 1, chat: chat.id, user: company.owner.id }
    await expect(work(async inner => void inner.create(ChatMessage, twice))).rejects.toMatchObject({ code: '23505' })
  })

  test('belongs to one person', async () => {
    const colleague = await hireInto(daybook, company)
    const start = (user: User, title: string) =>
      company.as(user, async inner => startChat(inner, await inner.findOneOrFail(Document, document.id), user, title))
    await start(colleague, 'Theirs')
    const later = await start(company.owner, 'Later')
    await work(inner => addMessage(inner, later, { role: 'USER', content: 'a' }, at(9)))
    await say('b', 3)
    await start(company.owner, 'Silent')
    expect((await chatsOf(em(), company.owner)).map(({ title }) => title)).toEqual(['Later', 'Weather', 'Silent'])
    expect(await company.as(colleague, async inner => (await chatsOf(inner, colleague)).map(({ title }) => title))).toEqual(['Theirs'])
    await expect(
      work(async inner => {
        const own = await inner.findOneOrFail(DocumentChat, chat.id)
        inner.assign(own, { user: colleague.id })
      }),
    ).rejects.toMatchObject({ code: 'tenancy.identity_immutable' })
  })

  test('goes with its document', async () => {
    await say('First?')
    await work(async inner => removeDocument(inner, await inner.findOneOrFail(Document, document.id)))
    expect([await em().count(DocumentChat), await em().count(ChatMessage)]).toEqual([0, 0])
    await work(async inner => expect(await replayProblems(inner)).toEqual([]))
  })

  test('stands in the log under its person’s key, and goes with it', async () => {
    const { id } = await say('Am I ill?')
    const told = () => work(async inner => JSON.stringify(await history(inner, [ChatMessage, id])))
    const raw = await work(inner => inner.execute<{ after: object }[]>('select after from audit_event where entity_id = ?', [id]))
    expect(JSON.stringify(raw)).toContain('daybook:sealed:')
    expect(JSON.stringify(raw)).not.toContain('ill')
    expect(await told()).toContain('Am I ill?')
    await work(inner => erasePerson(inner, company.owner.id))
    expect(await told()).not.toContain('ill?')
  })
})

describe('a citation', () => {
  const cite = (...citations: { chunkIndex: number; quote: string }[]) => say('As it says.', 0, { role: 'ASSISTANT', citations })

  test.each([
    ['as it stands', { chunkIndex: 0, quote: 'It rains in Spain.' }],
    ['in part', { chunkIndex: 1, quote: 'Norway' }],
    ['broken into lines in another way', { chunkIndex: 0, quote: ' It rains\n in  Spain. ' }],
  ])('that quotes a chunk %s is kept', async (_how, citation) => {
    await cite(citation)
    expect((await messagesOf(em(), chat))[0]!.citations).toEqual([citation])
  })

  test.each([
    ['says something else', { chunkIndex: 0, quote: 'It rains in France.' }],
    ['says it otherwise', { chunkIndex: 0, quote: 'it rains in spain.' }],
    ['says it in another chunk', { chunkIndex: 1, quote: 'It rains in Spain.' }],
    ['says it in no chunk', { chunkIndex: 9, quote: 'It rains in Spain.' }],
    ['says nothing', { chunkIndex: 0, quote: ' \n' }],
  ])('that %s is refused, and nothing is kept', async (_how, citation) => {
    const attempt = cite({ chunkIndex: 0, quote: 'It rains' }, citation)
    await expect(attempt).rejects.toMatchObject({
      code: 'documents.citation_refused',
      details: { document: document.id, chunks: [String(citation.chunkIndex)] },
    })
    expect(await said()).toEqual([])
  })

  test('of what another document says is refused', async () => {
    await read('Other', 'The moon is far away.')
    await expect(cite({ chunkIndex: 0, quote: 'The moon' })).rejects.toMatchObject({ code: 'documents.citation_refused' })
  })
})

describe('a question', () => {
  const asked: Question[] = []
  const provider = (monthlyTokenLimit: number) =>
    work(inner => configureProvider(inner, { name: 'A', provider: 'OPENAI', model: 'gpt', monthlyTokenLimit }))
  const answer = (question: string, more: Partial<AnswerOptions> = {}) =>
    answerQuestion(em(), chat, question, {
      embed,
      model: 'm',
      ask: given => {
        asked.push(given)
        return Promise.resolve({ content: 'In Spain.', citations: [{ chunkIndex: 0, quote: 'rains in Spain' }], tokens: 30 })
      },
      ...more,
    })
  const used = async () => (await em().find(TokenCount, {})).map(({ tokens }) => tokens)
  beforeEach(() => void asked.splice(0))

  test('is answered from the chunks that are nearest, and both are kept', async () => {
    await say('Hello', 0)
    const exchange = await answer('Where does it rain, Spain?', { limit: 2, at: at(1) })
    expect(asked).toHaveLength(1)
    expect(asked[0]!.chunks.map(({ chunkIndex, content }) => [chunkIndex, content])).toContainEqual([0, 'It rains in Spain.\n'])
    expect(asked[0]!.chunks).toHaveLength(2)
    expect(asked[0]!.history).toEqual([{ role: 'USER', content: 'Hello' }])
    expect(await said()).toEqual([
      [1, 'USER', 'Hello'],
      [2, 'USER', 'Where does it rain, Spain?'],
      [3, 'ASSISTANT', 'In Spain.'],
    ])
    expect(exchange.answer).toMatchObject({ tokens: 30, citations: [{ chunkIndex: 0, quote: 'rains in Spain' }] })
    expect(exchange.question).toMatchObject({ createdAt: at(1) })
  })

  test('is asked of a model while no transaction is open', async () => {
    const reading = await answer('Where?', {
      ask: async () => {
        // Whoever writes to the chat meanwhile waits for nobody.
        await say('Meanwhile', 2)
        return { content: 'There.' }
      },
    })
    expect([reading.question.position, reading.answer.position]).toEqual([2, 3])
    const inside = work(inner => answerQuestion(inner, chat, 'Where?', { embed, model: 'm', ask: () => Promise.resolve({ content: 'a' }) }))
    await expect(inside).rejects.toMatchObject({ code: 'documents.call_inside_transaction' })
  })

  test('whose answer quotes what the document doesn’t say leaves nothing but what was paid, and it is the model’s failure', async () => {
    const budget = { provider: await provider(100), maxTokens: 60 }
    const lying = () => Promise.resolve({ content: 'a', citations: [{ chunkIndex: 0, quote: 'It never rains' }], tokens: 40 })
    await expect(answer('Where?', { budget, ask: lying })).rejects.toMatchObject({
      code: 'documents.citation_failed',
      details: { document: document.id, chunks: ['0'] },
    })
    expect([await said(), await used()]).toEqual([[], [40]])
  })

  test('is counted before it is asked, and corrected afterwards', async () => {
    const budget = { provider: await provider(100), maxTokens: 60 }
    let during: number[] = []
    await answer('Where?', {
      budget,
      ask: async ({ maxTokens }) => {
        during = await used()
        expect(maxTokens).toBe(60)
        return { content: 'There.', tokens: 30 }
      },
    })
    expect([during, await used()]).toEqual([[60], [30]])
    await expect(answer('Where?', { budget, ask: () => Promise.reject(new Error('Away.')) })).rejects.toThrow('Away.')
    expect(await used()).toEqual([30])
    await answer('Where?', { budget, ask: () => Promise.resolve({ content: 'It doesn’t say what it cost.' }) })
    expect(await used()).toEqual([90])
  })

  test.each([-30, Number.NaN, 0.5])('of a model that says it used %d tokens costs what it was allowed to use', async tokens => {
    const budget = { provider: await provider(100), maxTokens: 60 }
    const { answer: kept } = await answer('Where?', { budget, ask: () => Promise.resolve({ content: 'There.', tokens }) })
    expect([kept.tokens, await used()]).toEqual([null, [60]])
  })

  test('beyond the month’s tokens is asked of nobody', async () => {
    const budget: { provider: AIProviderConfig; maxTokens: number } = { provider: await provider(100), maxTokens: 60 }
    const wordy = (given: Question) => Promise.resolve({ content: 'a', tokens: 41, asked: asked.push(given) })
    await answer('One?', { budget, ask: wordy })
    await expect(answer('Two?', { budget, ask: wordy })).rejects.toMatchObject({ code: 'agents.token_limit' })
    expect(asked.map(({ question }) => question)).toEqual(['One?'])
    expect([(await said()).length, await used()]).toEqual([2, [41]])
  })

  test.each([[[]], [[[]]], [[[0, 0]]], [[[Number.NaN, 1]]], [[[1], [2]]]])(
    'to which the embedding model answers %j is asked of nobody, and it is the model’s failure',
    async vectors => {
      const answered = answer('Where?', { embed: () => Promise.resolve(vectors) })
      await expect(answered).rejects.toMatchObject({ code: 'documents.embedding_failed' })
      expect(asked).toEqual([])
    },
  )

  test('of another organization’s chat finds none', async () => {
    const foreign = chat
    company = await foundCompany(daybook)
    const attempt = answerQuestion(em(), foreign, 'Where?', { embed, model: 'm', ask: () => Promise.resolve({ content: 'a' }) })
    await expect(attempt).rejects.toThrow('DocumentChat not found')
  })
})
