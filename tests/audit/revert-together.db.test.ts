import { wrap } from '@mikro-orm/core'
import { describe, expect, test } from 'vitest'
import { AuditEvent, decide } from '../../src/audit/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { history, restore, revert } from '../../src/readers/index.ts'
import { Line, Note, Tag } from './model.ts'
import { usePast } from './use-past.ts'

const { model, scope, transact, agree } = usePast()

type Work = (em: ScopedEntityManager) => Promise<unknown>

/** What stands in all tables that these tests write to. */
async function state(em = scope()) {
  const notes = await em.find(Note, {}, { populate: ['tags', 'pinned', 'lines'], orderBy: { id: 'asc' } })
  return {
    notes: notes.map(({ id, title, data, place, parent, tags, pinned, lines }) => ({
      id,
      title,
      data,
      city: place?.city,
      parent: parent?.id,
      tags: tags.getIdentifiers().toSorted(),
      pinned: pinned.getIdentifiers(),
      lines: lines.getItems().map(({ text }) => text),
    })),
    tags: (await em.find(Tag, {}, { orderBy: { id: 'asc' } })).map(({ id, label }) => [id, label]),
  }
}

/** A note with two tags, of which one is pinned, a line and a note below it. */
async function seeded() {
  const em = scope()
  const [red, blue] = ['red', 'blue'].map(label => em.create(Tag, { label }))
  const note = em.create(Note, { title: 'first', data: { a: 1 }, place: { city: 'Lyon' } })
  note.tags.add(red!, blue!)
  note.pinned.add(red!)
  em.create(Line, { note: note.id, text: 'one' })
  const below = em.create(Note, { title: 'below', parent: note.id })
  await em.flush()
  return { note: note.id, below: below.id, red: red!.id, blue: blue!.id }
}

async function decided(work: Work): Promise<string> {
  const { id } = await transact(async em => {
    const [subject] = await em.find(Note, {}, { orderBy: { id: 'asc' }, limit: 1 })
    return decide(em, { type: 'note.tidy', subject: subject!, outcome: 'tidied', rationale: 'It was a mess.' }, work)
  })
  return id
}

const eventsSince = async (seq: number) =>
  scope().find(AuditEvent, { tenantId: model.tenant, seq: { $gt: seq } }, { orderBy: { seq: 'asc' } })
const lastSeq = async () => (await scope().find(AuditEvent, { tenantId: model.tenant }, { orderBy: { seq: 'desc' }, limit: 1 }))[0]!.seq

describe('a decision is reverted with all that was done because of it', () => {
  test.each<[string, (ids: Awaited<ReturnType<typeof seeded>>) => Work]>([
    [
      'updates of several rows, one of them twice',
      ({ note, below }) =>
        async em => {
          const [one, two] = [await em.findOneOrFail(Note, note), await em.findOneOrFail(Note, below)]
          Object.assign(one, { title: 'second', data: { a: 2, b: 3 }, place: null })
          await em.execute(`update note set title = 'third' where id = ?`, [below])
          await em.flush()
          await em.refresh(two)
          two.title = 'fourth'
        },
    ],
    [
      'rows that point at one another',
      () => async em => {
        const above = em.create(Note, { title: 'above' })
        await em.flush()
        const inner = em.create(Note, { title: 'inner', parent: above.id })
        inner.tags.add(em.create(Tag, { label: 'green' }))
        em.create(Line, { note: inner.id, text: 'a line' })
        await em.flush()
        above.parent = wrap(inner).toReference()
      },
    ],
    [
      'a row with all that went along with it',
      ({ note }) =>
        async em =>
          void em.remove(await em.findOneOrFail(Note, note)),
    ],
    [
      'a row that was deleted and brought back',
      ({ below }) =>
        async em => {
          em.remove(await em.findOneOrFail(Note, below))
          await em.flush()
          const again = await restore(em, [Note, below])
          await em.flush()
          again.title = 'again'
        },
    ],
    [
      'links that came and went',
      ({ note, blue }) =>
        async em => {
          const one = await em.findOneOrFail(Note, note, { populate: ['tags', 'pinned'] })
          one.tags.remove(em.getReference(Tag, blue))
          const green = em.create(Tag, { label: 'green' })
          one.tags.add(green)
          one.pinned.add(green)
        },
    ],
    [
      'what came and went again',
      () => async em => {
        const brief = newId()
        await em.execute(`insert into tag (id, tenant_id, label) values (?, ?, 'brief')`, [brief, model.tenant])
        await em.execute('delete from tag where id = ?', [brief])
        em.create(Tag, { label: 'to stay' })
      },
    ],
  ])('%s', async (_what, work) => {
    const ids = await seeded()
    const before = await state()
    const decision = await decided(work(ids))
    expect(await state()).not.toEqual(before)
    await revert(scope(), decision)
    expect(await state()).toEqual(before)
    await agree()
  })

  test('as part of the decision that takes its place, with each change naming what it takes back', async () => {
    const { note } = await seeded()
    const decision = await decided(async em => void ((await em.findOneOrFail(Note, note)).title = 'tidy'))
    const updated = (await history(scope(), [Note, note])).at(-1)!.event
    const other = await transact(async em =>
      decide(
        em,
        { type: 'note.tidy', subject: await em.findOneOrFail(Note, note), outcome: 'as it was', rationale: 'No.', overrides: decision },
        inner => revert(inner, decision),
      ),
    )
    expect((await history(scope(), [Note, note])).at(-1)!).toMatchObject({
      event: { decisionId: other.id, causationId: updated.id },
      changes: expect.arrayContaining([{ property: 'title', before: 'tidy', after: 'first' }]) as unknown,
    })
    await agree()
  })

  test('or not at all, where something else came later', async () => {
    const { note, below } = await seeded()
    const decision = await decided(async em => {
      for (const id of [note, below]) (await em.findOneOrFail(Note, id)).title = 'tidy'
    })
    const em = scope()
    ;(await em.findOneOrFail(Note, note)).title = 'mine'
    await em.flush()
    const later = (await history(scope(), [Note, note])).at(-1)!.event.id
    const titles = async () => Promise.all([note, below].map(async id => (await scope().findOneOrFail(Note, id)).title))
    await expect(revert(scope(), decision)).rejects.toMatchObject({ code: 'history.revert_conflict', details: { later: [later] } })
    expect(await titles()).toEqual(['mine', 'tidy'])
    await revert(scope(), decision, { force: true })
    expect(await titles()).toEqual(['first', 'below'])
    await agree()
  })

  test('or not at all, where somebody else points at what would go, also in a transaction that goes on', async () => {
    const { note } = await seeded()
    let made = ''
    const decision = await decided(async em => {
      ;(await em.findOneOrFail(Note, note)).title = 'tidy'
      made = em.create(Note, { title: 'made' }).id
    })
    const em = scope()
    em.create(Line, { note: made, text: 'somebody else’s' })
    await em.flush()
    await transact(async own => {
      const known = await own.findOneOrFail(Note, note)
      await expect(revert(own, decision)).rejects.toMatchObject({ details: { references: ['line.note'] } })
      known.stars = 3
    })
    expect(await scope().findOneOrFail(Note, note)).toMatchObject({ title: 'tidy', stars: 3 })
    expect(await scope().count(Note, made)).toBe(1)
    await agree()
  })

  test('not, where nothing was done because of it', async () => {
    await seeded()
    await expect(revert(scope(), await decided(async () => {}))).rejects.toMatchObject({ code: 'history.not_revertible' })
  })
})

describe('several events are reverted together', () => {
  test('whatever their order, and each once', async () => {
    const { note } = await seeded()
    const before = await state()
    const begun = await lastSeq()
    for (const title of ['second', 'third', 'fourth']) {
      const em = scope()
      ;(await em.findOneOrFail(Note, note)).title = title
      await em.flush()
    }
    const events = await eventsSince(begun)
    expect(events).toHaveLength(3)
    await expect(revert(scope(), events.slice(0, 2))).rejects.toMatchObject({ details: { later: [events[2]!.id] } })
    await revert(scope(), [events[1]!.id, events[0]!, events[2]!, events[1]!])
    expect(await state()).toEqual(before)
    await agree()
  })

  test('a row that was changed and then deleted comes back as it was before both', async () => {
    const { note } = await seeded()
    const before = await state()
    const begun = await lastSeq()
    for (const work of [(row: Note) => void (row.title = 'second'), (row: Note, em: ScopedEntityManager) => void em.remove(row)]) {
      const em = scope()
      work(await em.findOneOrFail(Note, note), em)
      await em.flush()
    }
    await revert(scope(), await eventsSince(begun))
    expect(await state()).toEqual(before)
    await agree()
  })

  test('none is nothing to do', async () => {
    await seeded()
    const begun = await lastSeq()
    await revert(scope(), [])
    expect(await lastSeq()).toBe(begun)
  })
})

test('what somebody changes while it is looked at is not lost', async () => {
  const { note } = await seeded()
  const em = scope()
  ;(await em.findOneOrFail(Note, note)).title = 'second'
  await em.flush()
  const updated = (await history(scope(), [Note, note])).at(-1)!.event
  const known = scope()
  const stale = await known.findOneOrFail(Note, note)
  const other = scope()
  ;(await other.findOneOrFail(Note, note)).stars = 9
  await other.flush()
  await revert(known, updated)
  expect(stale).toMatchObject({ title: 'first', stars: 9 })
  expect(await scope().findOneOrFail(Note, note)).toMatchObject({ title: 'first', stars: 9 })
  await agree()
})
