import { OptimisticLockError, wrap } from '@mikro-orm/core'
import { describe, expect, test } from 'vitest'
import { runDeterministically } from '../../src/kernel/determinism.ts'
import { newId } from '../../src/kernel/id.ts'
import { Letter, Note, Tag } from './model.ts'
import { useWitness } from './use-witness.ts'

const { scope, transact, events, told, saved } = useWitness()

describe('a transaction', () => {
  test('with several flushes tells each row once, from first to last', async () => {
    const { id } = await saved()
    await transact(async em => {
      const fresh = em.create(Note, { title: 'one' })
      const gone = em.create(Letter, { subject: 'gone' } as never)
      await em.flush()
      fresh.title = 'two'
      const old = await em.findOneOrFail(Note, id)
      old.title = 'x'
      await em.flush()
      old.title = 'y'
      em.remove(gone)
    })
    expect(await told()).toEqual(['note.created', 'note.created', 'note.updated'])
    const [, created, updated] = await events()
    expect(created!.after).toMatchObject({ title: 'two', version: 2 })
    expect(updated).toMatchObject({ before: { title: 'a note', version: 1 }, after: { title: 'y', version: 3 } })
  })

  test('that is rolled back leaves no event', async () => {
    const attempt = transact(async em => {
      em.create(Note, { title: 'never' })
      await em.flush()
      throw new Error('no')
    })
    await expect(attempt).rejects.toThrow('no')
    expect(await told()).toEqual([])
  })

  test('keeps what surrounds a savepoint that is rolled back', async () => {
    await transact(async em => {
      em.create(Note, { title: 'before' })
      await em.flush()
      await em
        .transactional(async inner => {
          inner.create(Note, { title: 'inside' })
          await inner.flush()
          await inner.transactional(async innermost => void innermost.create(Note, { title: 'innermost' }))
          throw new Error('back')
        })
        .catch(() => undefined)
      await em.transactional(async inner => void inner.create(Note, { title: 'kept' }))
      em.create(Note, { title: 'after' })
    })
    await told()
    expect((await events()).map(({ after }) => after!.title)).toEqual(['before', 'kept', 'after'])
  })

  test('that goes on after a flush has failed half way tells the half that was written', async () => {
    const { id } = await saved()
    await transact(async em => {
      const stale = await em.findOneOrFail(Note, id)
      await em.execute('update note set version = version + 1 where id = ?', [id])
      stale.title = 'stale'
      em.create(Tag, { label: 'written before the lock failed' })
      await expect(em.flush()).rejects.toThrow(OptimisticLockError)
      em.clear()
      await em.nativeUpdate(Note, { id }, { stars: 9 })
    })
    expect(await told()).toEqual(['note.created', 'note.updated by the database', 'tag.created', 'note.updated by the database'])
  })

  test('that mixes a unit of work with raw statements tells them in the order in which they happened', async () => {
    await transact(async em => {
      const note = em.create(Note, { title: 'one' })
      await em.flush()
      await em.execute(`update note set title = 'two' where id = ?`, [note.id])
      await em.refresh(note)
      note.title = 'three'
      await em.flush()
      await em
        .getKysely<{ note: { id: string; title: string } }>()
        .updateTable('note')
        .set({ title: 'four' })
        .where('id', '=', note.id)
        .execute()
    })
    await told()
    expect((await events()).map(({ after }) => after!.title)).toEqual(['one', 'two', 'three', 'four'])
  })

  test('in which two people change one version: one wins, the other is told, also in a batch', async () => {
    const em = scope()
    const notes = [1, 2, 3].map(stars => em.create(Note, { title: 'n', stars }))
    await em.flush()
    const [mine, yours] = [scope(), scope()]
    const ids = { id: { $in: notes.map(({ id }) => id) } }
    for (const note of await mine.find(Note, ids)) note.title = 'mine'
    for (const note of await yours.find(Note, ids)) note.title = 'yours'
    const outcomes = await Promise.allSettled([mine.flush(), yours.flush()])
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect((await told()).length).toBe(6)
  })
})

describe('an update says what was there before it', () => {
  const titles = async () =>
    (await events()).filter(({ type }) => type === 'note.updated').map(({ before, after }) => [before!.title, after!.title])
  const written = async (title: string) => {
    const em = scope()
    const note = em.create(Note, { title })
    await em.flush()
    return note.id
  }

  test('where a statement has changed the row since it was loaded', async () => {
    const id = await written('one')
    await transact(async em => {
      const note = await em.findOneOrFail(Note, id)
      await em.execute(`update note set title = 'two' where id = ?`, [id])
      note.title = 'three'
    })
    await told()
    expect(await titles()).toEqual([
      ['one', 'two'],
      ['two', 'three'],
    ])
  })

  test('where a cascade has', async () => {
    const [parent, other] = [await written('parent'), await written('other')]
    await transact(async em => {
      const child = em.create(Note, { title: 'child', parent: em.getReference(Note, parent) })
      await em.flush()
      await em.transactional(async inner => {
        inner.remove(await inner.findOneOrFail(Note, parent))
        await inner.flush()
      })
      child.parent = wrap(await em.findOneOrFail(Note, other)).toReference()
    })
    await told()
    const pointers = (await events()).filter(({ type, after }) => type === 'note.updated' && 'parent_id' in after!)
    expect(pointers.map(({ before, after }) => [before!.parent_id, after!.parent_id])).toEqual([
      [parent, null],
      [null, other],
    ])
  })

  test('where it was written behind a savepoint, and is undone', async () => {
    const id = await written('one')
    await transact(async em => {
      const note = await em.findOneOrFail(Note, id)
      const undone = em.transactional(async inner => {
        note.stars = 1
        note.title = 'two'
        await inner.flush()
        throw new Error('no')
      })
      await expect(undone).rejects.toThrow('no')
      note.version = 1
      note.title = 'three'
    })
    await told()
    expect(await titles()).toEqual([['one', 'three']])
  })

  test('where a nested transaction has, and forgot it', async () => {
    const id = await written('one')
    await transact(async em => {
      const note = await em.findOneOrFail(Note, id)
      await em.transactional(async inner => {
        inner.clear()
        Object.assign(await inner.findOneOrFail(Note, id), { title: 'two' })
        await inner.flush()
        // What is written in between keeps the two from being told as one.
        await inner.insert(Tag, { id: newId(), tenantId: note.tenantId, label: 'between' })
        inner.clear()
      })
      note.version = 2
      note.title = 'three'
    })
    await told()
    expect(await titles()).toEqual([
      ['one', 'two'],
      ['two', 'three'],
    ])
  })
})

test('what waits in front of a savepoint is written, whatever becomes of what is behind it', async () => {
  await transact(async em => {
    const note = em.create(Note, { title: 'one' })
    await em.flush()
    note.title = 'two'
    em.create(Tag, { label: 'waits' })
    const undone = em.transactional(async inner => {
      inner.create(Tag, { label: 'goes' })
      await inner.flush()
      throw new Error('no')
    })
    await expect(undone).rejects.toThrow('no')
  })
  expect(await told()).toEqual(['note.created', 'tag.created'])
  expect(await scope().findOne(Note, { title: 'two' })).not.toBeNull()
})

test('several changes of one millisecond leave the moment that the log tells', async () => {
  const moment = new Date('2030-01-01T00:00:00Z')
  await runDeterministically('one millisecond', moment, async () => {
    const em = scope()
    const note = em.create(Note, { title: 'a' })
    for (const title of ['b', 'c', 'd']) {
      await em.flush()
      note.title = title
      note.updatedAt = moment
    }
    await em.flush()
  })
  expect(await told()).toEqual(['note.created', 'note.updated', 'note.updated', 'note.updated'])
  await transact(em => em.execute(`update note set title = 'e'`))
  const [row] = await transact(em => em.execute<{ touched: boolean }[]>(`select updated_at < '2029-01-01' as touched from note`))
  expect(row).toEqual({ touched: true })
})
