/** Longer than other files: each trap of the unit of work is a few lines beside the others, over one model and one pair of eyes. */
import { type EventSubscriber, OptimisticLockError, raw, wrap } from '@mikro-orm/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { runDeterministically } from '../../src/kernel/determinism.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { replayProblems } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { Bill, entities, Letter, Line, migrations, Note, Paper, Tag } from './model.ts'

let daybook: Daybook
let tenant: string
const scopeInput = () => ({ tenant, actor: systemActor('test'), reason: 'a test', requestId: 'request', correlationId: 'story' })
const scope = () => daybook.scope(scopeInput())
const transact = <T>(work: (em: ScopedEntityManager) => Promise<T>) => daybook.transact(scopeInput(), work)

beforeAll(async () => {
  daybook = await openTestDaybook({ entities, migrations })
})
afterAll(() => daybook.close())
beforeEach(() => {
  tenant = newId()
})

interface EventRow {
  readonly type: string
  readonly entity_id: string
  readonly changed: string[] | null
  readonly before: Record<string, unknown> | null
  readonly after: Record<string, unknown> | null
  readonly source: string
}

async function events(): Promise<EventRow[]> {
  return transact(em => em.execute('select * from audit_event where tenant_id = ? order by seq', [tenant]))
}

/** Each event in a few words, after a look whether the log gives every table back. */
async function told(): Promise<string[]> {
  expect(await transact(em => replayProblems(em))).toEqual([])
  return (await events()).map(({ type, source }) => (source === 'database' ? `${type} by the database` : type))
}

async function saved(title = 'a note'): Promise<Note> {
  const em = scope()
  const note = em.create(Note, { title })
  await em.flush()
  return note
}

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
        tenant,
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
    third.remove(third.merge(Line, { id: line.id, note: line.note.id, text: 'old', tenantId: tenant } as never))
    await expect(third.flush()).rejects.toThrow(OptimisticLockError)
    expect(await told()).toEqual(['note.created', 'line.created', 'line.deleted by the database'])
  })
})

describe('a relation between many and many', () => {
  test('tells what was added and removed, in order, as a change of its owner', async () => {
    const em = scope()
    const [a, b, c] = ['a', 'b', 'c'].map(label => em.create(Tag, { label })) as [Tag, Tag, Tag]
    const note = em.create(Note, { title: 'tagged' })
    note.tags.add(a, b)
    note.pinned.add(c, a)
    await em.flush()
    note.tags.remove(a)
    note.tags.add(c)
    note.pinned.set([a, c])
    await em.flush()
    await told()
    const changes = (await events()).filter(({ type }) => type === 'note.tags-changed')
    expect(changes.map(({ before, after }) => [(before!.tags as string[]).toSorted(), (after!.tags as string[]).toSorted()])).toEqual([
      [[], [a.id, b.id].toSorted()],
      [[a.id], []],
      [[], [c.id]],
    ])
  })

  test('that is set without having been loaded is told exactly', async () => {
    const em = scope()
    const [a, b] = ['a', 'b'].map(label => em.create(Tag, { label })) as [Tag, Tag]
    const note = em.create(Note, { title: 'tagged', tags: [a], lines: [{ text: 'one' } as Line] } as never)
    await em.flush()
    const other = scope()
    const reference = await other.findOneOrFail(Note, note.id)
    reference.tags.set([other.getReference(Tag, b.id)])
    reference.lines.set([other.create(Line, { note: reference, text: 'two' })])
    await other.flush()
    expect((await told()).slice(-3)).toContain('line.deleted by the database')
  })

  test('goes with its owner, and that is told', async () => {
    const em = scope()
    const tag = em.create(Tag, { label: 'a' })
    const note = em.create(Note, { title: 'tagged' })
    note.tags.add(tag)
    await em.flush()
    em.remove(note)
    await em.flush()
    expect((await told()).slice(-2).toSorted()).toEqual(['note.deleted', 'note.tags-changed by the database'])
  })
})

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

test('what a hook writes in the middle of a flush is told, after what the flush had written by then', async () => {
  const hooked = newId()
  const subscriber: EventSubscriber<Note> = {
    getSubscribedEntities: () => [Note],
    async afterCreate({ entity, em }) {
      if (entity.id === hooked) await (em as ScopedEntityManager).execute(`update note set stars = stars + 1 where id = ?`, [hooked])
    },
  }
  daybook.orm.em.getEventManager().registerSubscriber(subscriber)
  const em = scope()
  em.create(Note, { id: hooked, title: 'hooked' })
  await em.flush()
  expect(await told()).toEqual(['note.created', 'note.updated by the database'])
})

describe('the sentinel', () => {
  const routes: Record<string, (em: ScopedEntityManager, note: Note) => Promise<unknown>> = {
    'em.nativeUpdate': (em, { id }) => em.nativeUpdate(Note, { id }, { title: 'changed' }),
    QueryBuilder: (em, { id }) => em.createQueryBuilder(Note).update({ title: 'changed' }).where({ id }).execute(),
    'em.execute': (em, { id }) => em.execute(`update note set title = 'changed' where id = ?`, [id]),
    Kysely: (em, { id }) =>
      em.getKysely<{ note: { id: string; title: string } }>().updateTable('note').set({ title: 'changed' }).where('id', '=', id).execute(),
  }
  for (const [route, change] of Object.entries(routes)) {
    test(`sees ${route}, and says who`, async () => {
      const note = await saved()
      await transact(em => change(em, note))
      expect(await told()).toEqual(['note.created', 'note.updated by the database'])
      expect((await events())[1]).toMatchObject({
        before: { title: 'a note' },
        after: { title: 'changed' },
        actor_id: 'test',
        request_id: 'request',
        correlation_id: 'story',
        reason: 'a test',
      })
    })
  }

  test('sees inserts and deletes in bulk', async () => {
    await transact(async em => {
      const rows = [1, 2, 3].map(index => ({ id: newId(), label: `tag ${index}`, tenantId: tenant }))
      await em.insertMany(Tag, rows)
      await em.upsertMany(
        Tag,
        rows.map(row => ({ ...row, label: 'again' })),
      )
      await em.nativeDelete(Tag, {})
    })
    const names = ['tag.created', 'tag.updated', 'tag.deleted'].flatMap(name => Array.from({ length: 3 }, () => `${name} by the database`))
    expect(await told()).toEqual(names)
  })

  test('is silent about a raw update that writes what was there', async () => {
    const { id } = await saved()
    await transact(em => em.execute(`update note set title = 'a note' where id = ?`, [id]))
    expect(await told()).toEqual(['note.created'])
  })

  test('sees cascades and set null of a flush, and what a flush deletes only once', async () => {
    const em = scope()
    const parent = em.create(Note, { title: 'parent' })
    const child = em.create(Note, { title: 'child', parent })
    em.create(Line, { note: parent, text: 'goes' })
    await em.flush()
    const other = scope()
    other.remove(await other.findOneOrFail(Note, parent.id))
    await other.flush()
    expect((await told()).slice(3).toSorted()).toEqual(['line.deleted by the database', 'note.deleted', 'note.updated by the database'])
    expect((await scope().findOneOrFail(Note, child.id)).parent).toBeNull()
  })

  test('keeps secrets', async () => {
    const { id } = await saved()
    await transact(em => em.execute(`update note set secret_word = 'hush' where id = ?`, [id]))
    expect((await events())[1]).toMatchObject({ changed: ['secret_word', 'updated_at'] })
    expect(JSON.stringify(await events())).not.toContain('hush')
  })

  test('sees a relation that is changed by raw SQL', async () => {
    const em = scope()
    const tag = em.create(Tag, { label: 'a' })
    const note = em.create(Note, { title: 'n' })
    await em.flush()
    await transact(async other => {
      await other.execute('insert into note_tags (note_id, tag_id) values (?, ?)', [note.id, tag.id])
      await other.execute('delete from note_tags')
    })
    expect((await told()).slice(-2)).toEqual(['note.tags-changed by the database', 'note.tags-changed by the database'])
  })
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

test('nobody changes, removes or empties events', async () => {
  await saved()
  for (const sql of ['update audit_event set reason = null', 'delete from audit_event', 'truncate audit_event']) {
    await expect(transact(em => em.execute(sql))).rejects.toThrow(/permission denied|only ever added/)
  }
  expect(await told()).toEqual(['note.created'])
})

test('a tenant sees its own events alone, and writes none for another', async () => {
  await saved()
  const first = tenant
  tenant = newId()
  await saved()
  expect(await transact(em => em.execute('select distinct tenant_id from audit_event'))).toEqual([{ tenant_id: tenant }])
  await expect(transact(em => em.execute(`insert into audit_event (tenant_id, type) values (?, 'forged')`, [first]))).rejects.toThrow()
})
