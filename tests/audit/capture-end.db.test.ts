import { type EventSubscriber, UniqueConstraintViolationException } from '@mikro-orm/core'
import { describe, expect, test } from 'vitest'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { Letter, Note } from './model.ts'
import { useWitness } from './use-witness.ts'

/** The COMMIT of rows that are only inserted leaves with what is told of them, so whoever could object must be asked before, or be left time. */
const { scope, transact, events, told, saved } = useWitness()

const titles = async () => (await events()).map(({ after }) => after?.title ?? after?.subject)

function listening(subscriber: EventSubscriber): ScopedEntityManager {
  const em = scope().fork({ cloneEventManager: true })
  em.getEventManager().registerSubscriber(subscriber)
  return em
}

test('what earlier flushes did is told before the last one’s', async () => {
  const { id } = await saved('old')
  await transact(async em => {
    const note = await em.findOneOrFail(Note, id)
    note.title = 'changed'
    em.create(Letter, { subject: 'first' } as never)
    await em.flush()
    em.create(Note, { title: 'last' })
  })
  expect(await told()).toEqual(['note.created', 'paper.created', 'note.updated', 'note.created'])
  expect((await titles()).at(-1)).toBe('last')
})

test('more rows than a batch are told of, all and in order', async () => {
  const expected = Array.from({ length: 701 }, (_none, index) => `note ${index}`)
  await transact(async em => {
    em.create(Letter, { subject: 'before them' } as never)
    await em.flush()
    for (const title of expected) em.create(Note, { title })
  })
  await told()
  expect(await titles()).toEqual(['before them', ...expected])
})

describe('a refusal at the end of', () => {
  const twice = (em: ScopedEntityManager, id: string) => void em.create(Note, { id, title: 'twice' })
  const flushed = (id: string) => {
    const em = scope()
    twice(em, id)
    return em.flush()
  }
  const transacted = (id: string) => transact(async em => twice(em, id))

  test.each([
    ['a flush', flushed],
    ['a transaction', transacted],
  ])('%s reaches its caller, and nothing is written', async (_what, attempt) => {
    const { id } = await saved()
    await expect(attempt(id)).rejects.toThrow(UniqueConstraintViolationException)
    expect(await told()).toEqual(['note.created'])
  })
})

describe('a subscriber', () => {
  test('that objects to the commit of a flush is heard', async () => {
    const em = listening({ beforeTransactionCommit: () => Promise.reject(new Error('not today')) })
    em.create(Note, { title: 'never' })
    await expect(em.flush()).rejects.toThrow('not today')
    expect(await told()).toEqual([])
  })

  test('that asks something after the last flush of a transaction is answered', async () => {
    const seen: unknown[] = []
    await transact(async em => {
      em.getEventManager().registerSubscriber({
        async afterFlush({ em: inner }) {
          seen.push(await (inner as ScopedEntityManager).count(Note))
        },
      })
      em.create(Note, { title: 'seen' })
    })
    expect(seen).toEqual([1])
  })
})
