import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Actor, agentActor, apiKeyActor, systemActor, userActor } from '../../src/context/index.ts'
import {
  addDocument,
  addMessage,
  ChatMessage,
  chatsOf,
  Document,
  DocumentChat,
  messagesOf,
  newStorageKey,
  removeDocument,
  startChat,
  User,
} from '../../src/entities.ts'
import { AuditEvent, erasePerson, tell } from '../../src/audit/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { asOf, diff, history, replayProblems, restore, why } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { type Company, foundCompany, hireInto } from '../access/company.ts'

/** Ann's chat, and Bob, who is a member of the same organization and owns it: no role sees what is another person's. */
let daybook: Daybook
let company: Company
let ann: User
let bob: User
let document: Document
let chat: DocumentChat
let message: ChatMessage
let begun: Date

beforeAll(async () => {
  daybook = await openTestDaybook()
})
afterAll(() => daybook.close())
beforeEach(async () => {
  company = await foundCompany(daybook)
  ;[ann, bob] = [await hireInto(daybook, company), company.owner]
  document = await as(ann, inner => {
    const sha256 = createHash('sha256').update(newId()).digest('hex')
    const file = { storageKey: newStorageKey(company.organization.id), sizeBytes: 1, mimeType: 'text/plain', sha256 }
    return addDocument(inner, { title: 'Findings', ...file })
  })
  chat = await start(ann, 'Am I ill?')
  message = await as(ann, inner => addMessage(inner, chat, { role: 'USER', content: 'Is it contagious?' }))
  begun = new Date()
})

type Work<T> = (inner: ScopedEntityManager) => Promise<T>
const as = <T>(who: User, does: Work<T>) => company.as(who, does)
const by = <T>(actor: Actor, does: Work<T>) => daybook.transact({ tenant: company.organization, actor }, does)
const job = systemActor('job')
const operator = (actor: Actor) => daybook.operatorScope({ kind: 'operator', actor, reason: 'a test' })
const scopeOf = (who: User) => daybook.scope({ tenant: company.organization, actor: userActor(who) })
const start = (who: User, title: string) =>
  as(who, async inner => startChat(inner, await inner.findOneOrFail(Document, document.id), who, title))
const everything = async (inner: ScopedEntityManager) => [
  (await inner.find(DocumentChat, {})).map(({ title }) => title),
  (await inner.find(ChatMessage, {})).map(({ content }) => content),
]
const anns = [['Am I ill?'], ['Is it contagious?']]
/** A person's own log is theirs alone, so of people this says nothing. */
const differences = async (inner: ScopedEntityManager) => (await replayProblems(inner)).filter(({ table }) => table !== 'app_user')
const off = { filters: false } as const

describe('a colleague', () => {
  const reads: Record<string, (inner: ScopedEntityManager) => Promise<unknown[]>> = {
    find: inner => inner.find(DocumentChat, {}, off),
    'find of messages': inner => inner.find(ChatMessage, { chat: chat.id }, off),
    'find by the document': inner => inner.find(DocumentChat, { document: document.id }),
    'find by a condition on the chat': inner => inner.find(ChatMessage, { chat: { title: { $like: '%' } } }, { populate: ['chat'] }),
    'find of her chats': inner => chatsOf(inner, ann),
    'messages of her chat': inner => messagesOf(inner, chat),
    count: async inner => ((await inner.count(DocumentChat, {}, off)) + (await inner.count(ChatMessage, {}, off)) === 0 ? [] : ['some']),
    'a query builder': inner =>
      inner.createQueryBuilder(DocumentChat, 'c').select('*').leftJoinAndSelect('c.document', 'd').getResultList(),
    Kysely: inner => inner.getKysely<Record<string, { content: string }>>().selectFrom('chat_message').select('content').execute(),
    'raw SQL': inner => inner.execute('select * from chat_message'),
    'a join in raw SQL': inner =>
      inner.execute(
        'select m.content from document d join document_chat c on c.document_id = d.id join chat_message m on m.chat_id = c.id',
      ),
    'an aggregate': inner => inner.execute('select 1 from chat_message having count(*) > 0'),
  }
  test.each(Object.entries(reads))('sees nothing of it by %s, and its person does', async (_how, read) => {
    expect(await as(bob, read)).toEqual([])
    expect((await as(ann, read)).length).toBeGreaterThan(0)
  })

  test('sees their own beside it', async () => {
    const own = await start(bob, 'Mine')
    await as(bob, inner => addMessage(inner, own, { role: 'USER', content: 'Hello' }))
    expect(await as(bob, everything)).toEqual([['Mine'], ['Hello']])
    expect(await as(ann, everything)).toEqual(anns)
  })

  const writes: Record<string, (inner: ScopedEntityManager) => Promise<unknown>> = {
    nativeUpdate: inner => inner.nativeUpdate(DocumentChat, { id: chat.id }, { title: 'Other' }, off),
    nativeDelete: inner => inner.nativeDelete(DocumentChat, { id: chat.id }, off),
    'update in raw SQL': async inner => (await inner.execute<[]>(`update document_chat set title = 'Other' returning id`)).length,
    'delete in raw SQL': async inner => (await inner.execute<[]>('delete from document_chat returning id')).length,
  }
  test.each(Object.entries(writes))('changes nothing of it by %s', async (_how, write) => {
    expect(await as(bob, write)).toBe(0)
    expect(await as(ann, everything)).toEqual(anns)
  })

  test('starts none in another’s name', async () => {
    await expect(
      as(bob, async inner => void startChat(inner, await inner.findOneOrFail(Document, document.id), ann, 'In her name')),
    ).rejects.toMatchObject({ code: 'tenancy.row_refused' })
    expect(await as(ann, everything)).toEqual(anns)
  })

  const content = 'I was here.'
  const into =
    (user: User, position = 2) =>
    (inner: ScopedEntityManager) =>
      Promise.resolve(void inner.create(ChatMessage, { chat: chat.id, user: user.id, position, role: 'USER', content }))
  const sql =
    (user: User, position = 2) =>
    (inner: ScopedEntityManager) =>
      inner.execute(
        `insert into chat_message (id, tenant_id, chat_id, user_id, position, role, content) values (?, ?, ?, ?, ?, 'USER', ?)`,
        [newId(), company.organization.id, chat.id, user.id, position, content],
      )
  test('says nothing in it: as to nobody’s chat, whose name ever is on it', async () => {
    await expect(as(bob, inner => addMessage(inner, chat, { role: 'USER', content: 'I was here.' }))).rejects.toThrow(
      'DocumentChat not found',
    )
    // The first place is taken, the second isn't, and neither is told.
    for (const write of [into(bob, 1), into(bob), sql(bob, 1), sql(bob)])
      await expect(as(bob, write)).rejects.toMatchObject({ code: '23503' })
    for (const write of [into(ann), sql(ann)]) await expect(as(bob, write)).rejects.toMatchObject({ code: 'tenancy.row_refused' })
    expect(await as(ann, everything)).toEqual(anns)
  })

  test('finds it in no past', async () => {
    await as(ann, async inner => void ((await inner.findOneOrFail(DocumentChat, chat.id)).title = 'Renamed'))
    expect(await everything(asOf(scopeOf(bob), begun))).toEqual([[], []])
    expect(await everything(asOf(scopeOf(ann), begun))).toEqual(anns)
    expect(await everything(asOf(daybook.scope({ tenant: company.organization, actor: job }), begun))).toEqual(anns)
    const isTold = async (inner: ScopedEntityManager) => {
      const [added] = await inner.find(AuditEvent, { entityId: document.id }, { limit: 1 })
      const told: boolean[] = []
      for (const subject of [[DocumentChat, chat.id] as const, [ChatMessage, message.id] as const]) {
        told.push((await history(inner, subject)).length > 0)
        told.push((await why(inner, subject, 'user')) !== undefined)
        told.push((await diff(inner, subject, added!, new Date())).length > 0)
      }
      return new Set(told)
    }
    expect(await as(bob, isTold)).toEqual(new Set([false]))
    expect(await as(ann, isTold)).toEqual(new Set([true]))
    expect(await by(job, isTold)).toEqual(new Set([true]))
  })

  test('doesn’t open its past by telling something of it, nor closes it to its person', async () => {
    for (const userId of [bob.id, 'nobody'])
      await as(bob, inner =>
        tell(inner, {
          type: 'chat.seen',
          log: company.organization.id,
          about: inner.getReference(DocumentChat, chat.id),
          details: { user_id: userId },
        }),
      )
    expect(await as(bob, inner => history(inner, [DocumentChat, chat.id]))).toEqual([])
    expect(await as(ann, inner => history(inner, [DocumentChat, chat.id]))).not.toEqual([])
  })

  test('doesn’t bring it back, and its person does', async () => {
    await as(ann, inner => inner.nativeDelete(DocumentChat, { id: chat.id }))
    await expect(as(bob, inner => restore(inner, [DocumentChat, chat.id]))).rejects.toMatchObject({ code: 'history.not_restorable' })
    await as(ann, async inner => void (await restore(inner, [DocumentChat, chat.id])))
    expect(await as(ann, everything)).toEqual([['Am I ill?'], []])
    expect(await as(bob, everything)).toEqual([[], []])
  })
})

describe('whoever works for everybody', () => {
  test.each([
    ['a job', job],
    ['a program', apiKeyActor(newId())],
    ['an agent', agentActor(newId())],
  ])('sees all chats, and answers in them: %s', async (_who, actor) => {
    await start(bob, 'Mine')
    expect(await by(actor, inner => inner.count(DocumentChat))).toBe(2)
    await by(actor, inner => addMessage(inner, chat, { role: 'ASSISTANT', content: 'No.' }))
    expect(await as(ann, everything)).toEqual([['Am I ill?'], ['Is it contagious?', 'No.']])
    expect(await as(bob, everything)).toEqual([['Mine'], []])
  })

  test('can’t make a message another person’s than its chat', async () => {
    const attempt = by(
      job,
      async inner => void inner.create(ChatMessage, { chat: chat.id, user: bob.id, position: 2, role: 'SYSTEM', content: 'Secret' }),
    )
    await expect(attempt).rejects.toMatchObject({ code: 'tenancy.row_refused' })
  })

  test('sees everything as an operator, in the present and in the past, whoever that is', async () => {
    const em = await operator(userActor(bob))
    const own = { tenantId: company.organization.id }
    for (const seen of [em, asOf(em, begun)]) expect((await seen.find(DocumentChat, own)).map(({ title }) => title)).toEqual(['Am I ill?'])
    expect((await history(em, [ChatMessage, message.id])).length).toBe(1)
  })

  test('is told the whole log, and so is each person of their own rows: replayed it gives what they see', async () => {
    const own = await start(bob, 'Mine')
    await as(bob, inner => addMessage(inner, own, { role: 'USER', content: 'Hello' }))
    await by(job, inner => inner.execute(`update document_chat set title = 'By a job'`))
    for (const actor of [userActor(ann), userActor(bob), job]) expect(await by(actor, differences)).toEqual([])
    expect(await by(job, inner => everything(inner))).toEqual([
      ['By a job', 'By a job'],
      ['Is it contagious?', 'Hello'],
    ])
  })
})

describe('what is private goes', () => {
  const left = () => by(job, inner => everything(inner))
  const told = () =>
    by(job, inner =>
      inner.execute<{ type: string; actor: string }[]>(
        `select type, actor_id as actor from audit_event where type in ('document-chat.deleted', 'chat-message.deleted') order by type`,
      ),
    )

  test('with its document, whoever removes that, and the log tells it', async () => {
    await start(bob, 'Mine')
    await as(bob, async inner => removeDocument(inner, await inner.findOneOrFail(Document, document.id)))
    expect(await left()).toEqual([[], []])
    const [actor, chats] = [bob.id, { type: 'document-chat.deleted' }]
    expect(await told()).toEqual([
      { type: 'chat-message.deleted', actor },
      { ...chats, actor },
      { ...chats, actor },
    ])
    for (const who of [userActor(ann), userActor(bob), job]) expect(await by(who, differences)).toEqual([])
  })

  test('by a job', async () => {
    await start(bob, 'Mine')
    expect(await by(job, inner => inner.nativeDelete(DocumentChat, {}))).toBe(2)
    expect(await left()).toEqual([[], []])
  })

  test('out of the log with its person’s key, whoever destroys that', async () => {
    const said = { role: 'ASSISTANT', content: 'It is.', citations: [{ chunkIndex: 0, quote: 'a rash' }] } as const
    const answer = await as(ann, async inner =>
      inner.create(ChatMessage, {
        ...said,
        chat: inner.getReference(DocumentChat, chat.id),
        user: inner.getReference(User, ann.id),
        position: 2,
      }),
    )
    const read = () =>
      by(job, async inner => {
        const both = [await history(inner, [ChatMessage, message.id]), await history(inner, [ChatMessage, answer.id])]
        return JSON.stringify(both)
      })
    for (const words of ['Is it contagious?', 'a rash']) expect(await read()).toContain(words)
    await as(bob, inner => erasePerson(inner, ann.id))
    for (const words of ['Is it contagious?', 'a rash']) expect(await read()).not.toContain(words)
  })
})
