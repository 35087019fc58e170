import { type EventSubscriber, UniqueConstraintViolationException } from '@mikro-orm/core'
import { describe, expect, test } from 'vitest'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { Letter, Line, Note } from './model.ts'
import { useWitness } from './use-witness.ts'

/** The COMMIT of rows that are only inserted leaves with what is told of them, so whoever could object must be asked before, or be left time. */
const { model, scope, transact, events, told, saved } = useWitness()

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

  test('that asks something when a flush’s own transaction begins is answered', async () => {
    const em = listening({
      async afterTransactionStart({ em: inner, transaction }) {
        await inner.getConnection().execute('select pg_advisory_xact_lock(1)', [], 'all', transaction)
      },
    })
    em.create(Note, { title: 'locked' })
    await em.flush()
    expect(await told()).toEqual(['note.created'])
  })

  test('that refuses what begins keeps no connection', async () => {
    const em = listening({ afterTransactionStart: () => Promise.reject(new Error('not today')) })
    em.create(Note, { title: 'never' })
    await expect(em.flush()).rejects.toThrow('not today')
    expect(await told()).toEqual([])
    const { size, idle } = model.daybook.pool ?? { size: 0, idle: 0 }
    expect(idle).toBe(size)
  })

  test('that asks something during the last flush of a transaction is answered', async () => {
    const seen: unknown[] = []
    await transact(async em => {
      em.getEventManager().registerSubscriber({
        async onFlush({ em: inner }) {
          seen.push(...(await (inner as ScopedEntityManager).execute<object[]>('select 1 as one')))
        },
      })
      em.create(Note, { title: 'asked' })
    })
    expect(seen).toEqual([{ one: 1 }])
    expect(await told()).toEqual(['note.created'])
  })

  test('that adds a row of another class to the last flush of a transaction has it written', async () => {
    const { id } = await saved()
    await transact(async em => {
      em.getEventManager().registerSubscriber({
        async onFlush({ em: inner, uow }) {
          const line = inner.create(Line, { note: inner.getReference(Note, id), text: 'added' }, { persist: false })
          uow.computeChangeSet(line)
        },
      })
      em.create(Note, { title: 'first' })
    })
    expect((await told()).toSorted()).toEqual(['line.created', 'note.created', 'note.created'])
  })

  test('that adds a row to a flush has it told of', async () => {
    const em = listening({
      async onFlush({ em: inner, uow }) {
        if (uow.getChangeSets().length > 1) return
        uow.computeChangeSet(inner.create(Note, { title: 'added' }, { persist: false }))
      },
    })
    em.create(Note, { title: 'first' })
    await em.flush()
    expect(await told()).toEqual(['note.created', 'note.created'])
  })

  test('that writes as soon as a transaction has begun has it told of', async () => {
    const { id } = await saved()
    const em = listening({
      async afterTransactionStart({ em: inner, transaction }) {
        await inner.getConnection().execute(`update note set stars = 7 where id = '${id}'`, [], 'run', transaction)
      },
    })
    em.create(Note, { title: 'next' })
    await em.flush()
    expect((await told()).toSorted()).toEqual(['note.created', 'note.created', 'note.updated by the database'])
  })

  test('that flushes something of its own before the last flush doesn’t end the transaction', async () => {
    await transact(async em => {
      em.getEventManager().registerSubscriber({
        async beforeFlush({ em: inner }) {
          if (inner !== em) return
          const fork = em.fork({ keepTransactionContext: true })
          fork.create(Letter, { subject: 'before' } as never)
          await fork.flush()
        },
      })
      em.create(Note, { title: 'last' })
    })
    expect(await told()).toEqual(['paper.created', 'note.created'])
  })
})

test('rows that are inserted one by one are all written', async () => {
  const { config } = model.daybook.orm
  config.set('useBatchInserts', false)
  try {
    await transact(async em => {
      for (const title of ['first', 'second']) em.create(Note, { title })
    })
  } finally {
    config.set('useBatchInserts', true)
  }
  await told()
  expect(await titles()).toEqual(['first', 'second'])
})

describe('work that its transaction didn’t wait for', () => {
  const lateIn = async (em: ScopedEntityManager, ended: Promise<void>) => {
    await ended
    em.create(Note, { title: 'late' })
    await em.flush()
  }

  test.each([
    ['committed', async () => {}, 'Wait for what is done inside a transaction before it ends'],
    ['refused', () => Promise.reject(new Error('not today')), 'already rolled back'],
  ])('writes nothing by itself once that is %s', async (_what, outcome, refusal) => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    let late = Promise.resolve()
    const whole = transact(async em => {
      late = lateIn(em, ended)
      em.create(Letter, { subject: 'in time' } as never)
      await em.flush()
      await outcome()
    })
    await whole.catch(() => {})
    end()
    await expect(late).rejects.toThrow(refusal)
    expect(await told()).not.toContain('note.created')
  })

  test('can still be what loads a reference', async () => {
    const { id } = await saved('parent')
    const child = await transact(async em => em.create(Note, { title: 'child', parent: em.getReference(Note, id) }))
    expect((await child.parent!.loadOrFail()).title).toBe('parent')
  })
})

test('what is written beside a flush, in the same transaction, is told of', async () => {
  const { id } = await saved()
  let beside = 0
  await transact(async em => {
    for (let made = 0; made < 701; made++) em.create(Note, { title: `note ${made}` })
    const state = { isFlushed: false }
    const flushed = em.flush().finally(() => (state.isFlushed = true))
    do {
      await new Promise(resolve => setImmediate(resolve))
      await em.execute('update note set stars = stars + 1 where id = ?', [id])
      beside++
    } while (!state.isFlushed)
    await flushed
  })
  const types = await told()
  expect(types.filter(type => type === 'note.created')).toHaveLength(702)
  expect(types.filter(type => type === 'note.updated by the database')).toHaveLength(beside)
})
