import { type EventSubscriber, raw } from '@mikro-orm/core'
import { describe, expect, test } from 'vitest'
import { decide } from '../../src/audit/index.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { why } from '../../src/readers/index.ts'
import { Bill, Letter, Line, Note, Shout, Tag } from './model.ts'
import { useWitness } from './use-witness.ts'

/** What a transaction may do between its flushes, and in the middle of one, without the unit of work's knowing of it. */
const { scope, transact, events, told, saved } = useWitness()

function hooked(subscriber: EventSubscriber): ScopedEntityManager {
  const em = scope().fork({ cloneEventManager: true })
  em.getEventManager().registerSubscriber(subscriber)
  return em
}

describe('after a flush, in the same transaction', () => {
  async function relabelled(how: (em: ScopedEntityManager) => Promise<unknown>): Promise<void> {
    await transact(async em => {
      em.create(Tag, { label: 'flushed' })
      await em.flush()
      await how(em)
    })
    expect(await told()).toEqual(['tag.created', 'tag.updated by the database'])
    expect((await events())[1]!.after).toMatchObject({ label: 'changed' })
  }

  test.each([
    ['a function in quotes', `select "relabel"('changed')`],
    ['a function behind a comment', `select relabel/* ( */('changed')`],
    ['a function of a schema', `select public.relabel('changed')`],
  ])('what %s writes is told, and later', async (_what, sql) => {
    await relabelled(em => em.execute(sql))
  })

  const isEmbedded = process.env.DAYBOOK_TEST_ENGINE === 'embedded'
  test.skipIf(isEmbedded)(
    `what stands behind a read in one message is told${isEmbedded ? ' (skipped: here a message is one statement)' : ''}`,
    async () => {
      await relabelled(em => em.execute(`select 1; update tag set label = 'changed'`))
    },
  )

  test.each(['rollback to mine', 'rollback work to savepoint mine', 'rollback transaction to mine', 'Rollback  to  savepoint mine'])(
    '%s wakes the sentinel again',
    async words => {
      await relabelled(async em => {
        await em.execute('savepoint mine')
        await em.execute(`update tag set label = 'undone'`)
        await em.execute(words)
        await em.execute(`update tag set label = 'changed'`)
      })
    },
  )

  test('a flush that is undone by hand is not told, and the next one is', async () => {
    await transact(async em => {
      await em.execute('savepoint mine')
      em.create(Tag, { label: 'undone' })
      await em.flush()
      await em.execute('rollback work to savepoint mine')
      em.clear()
      em.create(Tag, { label: 'kept' })
    })
    expect(await told()).toEqual(['tag.created'])
    expect((await events())[0]!.after).toMatchObject({ label: 'kept' })
  })
})

describe('in the middle of a flush', () => {
  /** Writes a line when the first tag has been written, in a unit of work of its own. */
  function writingBeside(write: (em: ScopedEntityManager) => Promise<void>): ScopedEntityManager {
    let isDone = false
    return hooked({
      getSubscribedEntities: () => [Tag],
      async afterCreate({ em }) {
        if (isDone) return
        isDone = true
        await write(em as ScopedEntityManager)
      },
    })
  }

  test.each([
    [
      'a fork',
      async (em: ScopedEntityManager) => {
        const fork = em.fork({ keepTransactionContext: true })
        fork.create(Letter, { subject: 'beside' } as never)
        await fork.flush()
      },
    ],
    [
      'a nested transaction',
      (em: ScopedEntityManager) =>
        em.transactional(async inner => void inner.create(Letter, { subject: 'beside' } as never), { clear: true }),
    ],
  ])('a hook’s own flush of %s is told once, and so is the rest of the outer one', async (_what, write) => {
    const em = writingBeside(write)
    em.create(Tag, { label: 'one' })
    em.create(Tag, { label: 'two' })
    em.create(Note, { title: 'three' })
    await em.flush()
    expect((await told()).toSorted()).toEqual(['note.created', 'paper.created by the database', 'tag.created', 'tag.created'])
  })

  test('a hook’s own flush that fails leaves the outer one told', async () => {
    const { id } = await saved()
    const em = writingBeside(async inner => {
      await inner
        .transactional(async nested => void nested.create(Note, { id, title: 'there is one' }), { clear: true })
        .catch(() => undefined)
    })
    em.create(Tag, { label: 'one' })
    em.create(Tag, { label: 'two' })
    await em.flush()
    expect(await told()).toEqual(['note.created', 'tag.created', 'tag.created'])
  })

  test('what a hook says of a person is sealed', async () => {
    const { id } = await saved()
    const em = hooked({ getSubscribedEntities: () => [Note], beforeUpdate: ({ entity }) => void ((entity as Note).author = 'Ada') })
    const note = await em.findOneOrFail(Note, id)
    note.stars = 3
    await em.flush()
    expect(await told()).toEqual(['note.created', 'note.updated'])
    expect((await events())[1]!.after).toMatchObject({ stars: 3, author: expect.stringMatching(/^daybook:sealed:/) })
  })

  /** Of two tags, the second's label is what only the database knows. */
  const leavingToDatabase = () =>
    hooked({
      getSubscribedEntities: () => [Tag],
      beforeCreate: ({ entity }) => void ((entity as Tag).label === 'two' && ((entity as Tag).label = raw(`'made' || 'up'`))),
    })
  const writeTwo = (em: ScopedEntityManager) => {
    for (const label of ['one', 'two']) em.create(Tag, { label })
    return em.flush()
  }

  test('a hook that leaves a value to the database is refused, and nothing is written', async () => {
    await expect(writeTwo(leavingToDatabase())).rejects.toMatchObject({ code: 'audit.value_unknown' })
    expect(await told()).toEqual([])
    expect(await scope().count(Tag)).toBe(0)
  })

  test('and so it is where the refusal is passed over, unless a savepoint takes it back', async () => {
    const passedOver = leavingToDatabase().transactional(async em => {
      await writeTwo(em).catch(() => undefined)
    })
    await expect(passedOver).rejects.toMatchObject({ code: 'audit.value_unknown' })
    await leavingToDatabase().transactional(async em => {
      await em.transactional(inner => writeTwo(inner), { clear: true }).catch(() => undefined)
      em.create(Letter, { subject: 'kept' } as never)
    })
    expect(await told()).toEqual(['paper.created'])
    expect(await scope().count(Tag)).toBe(0)
  })
})

test('a value that SQL converts is told as the row has it', async () => {
  const em = scope()
  const shout = em.create(Shout, { words: 'hey' })
  await em.flush()
  shout.words = 'you'
  await em.flush()
  expect(await told()).toEqual(['shout.created by the database', 'shout.updated by the database'])
  expect((await events()).map(({ after }) => after!.words)).toEqual(['HEY', 'YOU'])
})

describe('several changes of one row', () => {
  test('are told apart where they were made because of different decisions', async () => {
    const { id } = await saved()
    await transact(async em => {
      const note = await em.findOneOrFail(Note, id)
      await decide(em, { type: 'rate', subject: note, outcome: 5, rationale: 'good' }, async () => void (note.stars = 5))
      note.title = 'later'
    })
    expect(await told()).toEqual(['note.created', 'decision.made', 'note.updated', 'note.updated'])
    expect((await why(scope(), [Note, id], 'stars'))!.decision).toMatchObject({ type: 'decision.made', after: { type: 'rate' } })
    expect((await why(scope(), [Note, id], 'title'))!.decision).toBeUndefined()
  })

  test('are told apart where it comes back as another class', async () => {
    const em = scope()
    const { id } = em.create(Letter, { subject: 'same', greeting: 'hi' } as never)
    await em.flush()
    await transact(async inner => {
      inner.remove(await inner.findOneOrFail(Letter, id))
      await inner.flush()
      inner.create(Bill, { id, subject: 'same', cents: '5' } as never)
    })
    expect(await told()).toEqual(['paper.created', 'paper.deleted', 'paper.created'])
  })

  test('stand where it was created, before what points at it', async () => {
    await transact(async em => {
      const note = em.create(Note, { title: 'parent' })
      await em.flush()
      em.create(Line, { note, text: 'child' })
      await em.flush()
      note.title = 'renamed'
    })
    expect(await told()).toEqual(['note.created', 'line.created'])
    expect((await events())[0]!.after).toMatchObject({ title: 'renamed' })
  })

  test('are told apart where it came to point at what was created after it', async () => {
    await transact(async em => {
      const note = em.create(Note, { title: 'child' })
      await em.flush()
      const parent = em.create(Note, { title: 'parent' })
      await em.flush()
      note.parent = em.getReference(Note, parent.id, { wrapped: true })
    })
    expect(await told()).toEqual(['note.created', 'note.created', 'note.updated'])
  })
})
