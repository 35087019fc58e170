import { type EventSubscriber, OptimisticLockError, raw, wrap } from '@mikro-orm/core'
import { describe, expect, test } from 'vitest'
import { newId } from '../../src/kernel/id.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { replayProblems } from '../../src/readers/index.ts'
import { Bill, Letter, Line, Note, Paper } from './model.ts'
import { useWitness } from './use-witness.ts'

const { model, scope, transact, events, told, saved } = useWitness()

describe('a flush', () => {
  test('tells what it created, changed and deleted, with what was in every kind of column', async () => {
    const em = scope()
    const note = em.create(Note, {
      title: 'Say "hello"\n',
      views: '9007199254740993',
      price: '12.50',
      ratio: 0.1,
      dueOn: '2026-11-21',
      seenAt: new Date('2026-11-21T10:00:00.120Z'),
      labels: ['a,b', 'c"d', ''],
      raw: new Uint8Array([1, 255]),
      data: { deep: { list: [1, null], text: 'x' } },
      place: { city: 'Lyon' },
      origin: { city: 'Nice', zip: '1' },
      secretWord: 'hush',
    })
    await em.flush()
    expect(await told()).toEqual(['note.created'])
    note.title = 'Other'
    note.data = { deep: { list: [1, null], text: 'y' } }
    note.place!.city = 'Lille'
    note.origin!.zip = '2'
    note.secretWord = 'psst'
    await em.flush()
    expect(await told()).toEqual(['note.created', 'note.updated'])
    const [, updated] = await events()
    expect(updated!.changed!.toSorted()).toEqual([
      'data.deep.text',
      'origin.zip',
      'place_city',
      'secret_word',
      'title',
      'updated_at',
      'version',
    ])
    expect(updated).toMatchObject({
      before: { title: 'Say "hello"\n', place_city: 'Lyon', version: 1 },
      after: { title: 'Other', place_city: 'Lille', version: 2 },
    })
    em.remove(note)
    await em.flush()
    expect(await told()).toEqual(['note.created', 'note.updated', 'note.deleted'])
    expect(JSON.stringify(await events())).not.toMatch(/hush|psst/)
  })

  test('says who, in which request and story, and why', async () => {
    await saved()
    expect((await events())[0]).toMatchObject({
      actor_type: 'system',
      actor_id: 'test',
      request_id: 'request',
      correlation_id: 'story',
      reason: 'a test',
      entity: 'note',
      entity_version: 1,
      kind: 'activity',
    })
  })

  test('that writes an equal value makes no event', async () => {
    const note = await saved()
    const em = scope()
    const again = await em.findOneOrFail(Note, note.id)
    again.title = 'a note'
    again.data = {}
    await em.flush()
    expect(await told()).toEqual(['note.created'])
  })

  test('of a thousand entities is one append', async () => {
    const em = scope()
    for (let index = 0; index < 1_000; index++) em.create(Note, { title: `note ${index}` })
    await em.flush()
    const [row] = await transact(source =>
      source.execute('select count(*)::int as events, count(distinct xact)::int as transactions from audit_event where tenant_id = ?', [
        model.tenant,
      ]),
    )
    expect(row).toEqual({ events: 1_000, transactions: 1 })
    expect(new Set(await told())).toEqual(new Set(['note.created']))
  })

  test('tells an inheritance tree by its root', async () => {
    const em = scope()
    const letter = em.create(Letter, { subject: 'Dear', greeting: 'hi' } as never)
    em.create(Bill, { subject: 'Due', cents: '12' } as never)
    await em.flush()
    letter.greeting = 'hello'
    await em.flush()
    em.remove(await em.findOneOrFail(Paper, { subject: 'Due' }))
    await em.flush()
    expect(await told()).toEqual(['paper.created', 'paper.created', 'paper.updated', 'paper.deleted'])
  })

  test('tells what a reference that was never loaded was before', async () => {
    const { id } = await saved('before')
    const em = scope()
    em.getReference(Note, id).title = 'after'
    await em.flush()
    expect((await events())[1]).toMatchObject({ type: 'note.updated', before: { title: 'before' }, after: { title: 'after' } })
    const other = scope()
    other.remove(other.getReference(Note, id))
    await other.flush()
    expect((await events())[2]).toMatchObject({ type: 'note.deleted', before: { title: 'after', stars: 0 } })
    await told()
  })

  test('tells what an entity loaded in part was before', async () => {
    const { id } = await saved('before')
    const em = scope()
    const part = await em.findOneOrFail(Note, id, { fields: ['stars'] })
    Object.assign(part, { title: 'after' })
    await em.flush()
    expect((await events())[1]).toMatchObject({ before: { title: 'before' }, after: { title: 'after' } })
    await told()
  })

  test('of a row that points at itself, and of two that point at each other, is told once each', async () => {
    const em = scope()
    const one = em.create(Note, { title: 'one' })
    one.parent = wrap(one).toReference()
    const two = em.create(Note, { title: 'two' })
    const three = em.create(Note, { title: 'three', parent: two })
    two.parent = wrap(three).toReference()
    await em.flush()
    expect(await told()).toEqual(['note.created', 'note.created', 'note.created'])
  })

  test('that removes a row and makes another in its place deletes first', async () => {
    const em = scope()
    const note = em.create(Note, { title: 'old', code: 'A' })
    await em.flush()
    em.remove(note)
    em.create(Note, { title: 'new', code: 'A' })
    await em.flush()
    expect(await told()).toEqual(['note.created', 'note.deleted', 'note.created'])
  })

  test('that brings a removed row back under its id is one change in one transaction', async () => {
    const note = await saved()
    await transact(async em => {
      em.remove(await em.findOneOrFail(Note, note.id))
      await em.flush()
      em.create(Note, { id: note.id, title: 'again' })
    })
    expect(await told()).toEqual(['note.created', 'note.updated'])
    expect((await events())[1]).toMatchObject({ before: { title: 'a note' }, after: { title: 'again' } })
  })

  test('that swaps a unique value writes early, and is told in full', async () => {
    const em = scope()
    const [one, two] = [em.create(Note, { title: 'one', code: 'A' }), em.create(Note, { title: 'two' })]
    await em.flush()
    one.code = null
    two.code = 'A'
    em.create(Note, { title: 'three', code: 'B' })
    await em.flush()
    expect((await told()).slice(2).toSorted()).toEqual(['note.created', 'note.updated', 'note.updated'])
  })

  test('removes orphans, and tells of them', async () => {
    const em = scope()
    const note = em.create(Note, { title: 'with lines' })
    const line = em.create(Line, { note, text: 'first' })
    await em.flush()
    note.lines.remove(line)
    await em.flush()
    expect(await told()).toEqual(['note.created', 'line.created', 'line.deleted'])
  })

  test('tells values that the database made up', async () => {
    const em = scope()
    const note = em.create(Note, { title: raw(`upper('loud')`) as string })
    await em.flush()
    expect((await events())[0]).toMatchObject({ after: { title: 'LOUD' } })
    note.stars = raw('stars + 5') as number
    await em.flush()
    await told()
    expect((await events())[1]).toMatchObject({ before: { stars: 0 }, after: { stars: 5 } })
  })

  test.each([1, 3])('that says nothing where something is required tells the default that is there, of %i', async count => {
    const em = scope()
    const nothing = { stars: null, isOpen: null } as unknown as { stars: number; isOpen: boolean }
    const notes = Array.from({ length: count }, (_, n) => em.create(Note, { title: `note ${n}`, ...(n === 1 ? { stars: 7 } : nothing) }))
    await em.flush()
    const stars = notes.map((_, n) => (n === 1 ? 7 : 0))
    expect(notes.map(note => note.stars)).toEqual(stars)
    expect((await events()).map(({ after }) => [after!.stars, after!.is_open])).toEqual(stars.map(each => [each, true]))
    for (const note of notes) note.stars = 9
    await em.flush()
    expect((await events()).slice(count).map(({ before }) => before!.stars)).toEqual(stars)
    expect(await transact(replayProblems)).toEqual([])
  })

  test('that fails leaves neither row nor event', async () => {
    await saved()
    const em = scope()
    em.create(Note, { title: 'good' })
    em.create(Note, { title: 'bad', code: 'X' })
    em.create(Note, { title: 'worse', code: 'X' })
    await expect(em.flush()).rejects.toThrow()
    expect(await told()).toEqual(['note.created'])
  })

  test('that finds its row gone is told so, and leaves no event', async () => {
    const em = scope()
    const line = em.create(Line, { note: em.create(Note, { title: 'n' }), text: 'old' })
    await em.flush()
    await transact(other => other.nativeDelete(Line, line.id))
    line.text = 'new'
    await expect(em.flush()).rejects.toThrow(OptimisticLockError)
    const third = scope()
    third.remove(third.merge(Line, { id: line.id, note: line.note.id, text: 'old', tenantId: model.tenant } as never))
    await expect(third.flush()).rejects.toThrow(OptimisticLockError)
    expect(await told()).toEqual(['note.created', 'line.created', 'line.deleted by the database'])
  })
})

test('what a hook writes in the middle of a flush is told, after what the flush had written by then', async () => {
  const hooked = newId()
  const subscriber: EventSubscriber<Note> = {
    getSubscribedEntities: () => [Note],
    async afterCreate({ entity, em }) {
      if (entity.id === hooked) await (em as ScopedEntityManager).execute(`update note set stars = stars + 1 where id = ?`, [hooked])
    },
  }
  model.daybook.orm.em.getEventManager().registerSubscriber(subscriber)
  const em = scope()
  em.create(Note, { id: hooked, title: 'hooked' })
  await em.flush()
  expect(await told()).toEqual(['note.created', 'note.updated by the database'])
})

test('what the ORM writes although it believes that nothing changed is told if it did', async () => {
  const { id } = await saved()
  const em = scope()
  const note = await em.findOneOrFail(Note, id)
  await transact(other => other.execute('update note set stars = 9 where id = ?', [id]))
  const writeAll: EventSubscriber = {
    onFlush({ uow }) {
      for (const { entity, payload } of uow.getChangeSets()) if (entity === note) Object.assign(payload, { stars: 0 })
    },
  }
  em.getEventManager().registerSubscriber(writeAll)
  note.title = 'other'
  await em.flush()
  expect(await told()).toEqual(['note.created', 'note.updated by the database', 'note.updated'])
  expect((await events()).at(-1)).toMatchObject({ before: { stars: 9 }, after: { stars: 0 } })
})
