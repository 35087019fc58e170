import { wrap } from '@mikro-orm/core'
import { describe, expect, test } from 'vitest'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { history, restore, revert } from '../../src/readers/index.ts'
import { Deck, Letter, Line, Note, Tag } from './model.ts'
import { usePast } from './use-past.ts'

const { model, scope, transact, noteWithPast, eventOf, agree } = usePast()

/** A deck with a tag, marked as deleted. */
async function markedDeck(): Promise<Deck> {
  const em = scope()
  const deck = em.create(Deck, { title: 'kept' })
  deck.tags.add(em.create(Tag, { label: 'urgent' }))
  await em.flush()
  deck.deletedAt = new Date()
  await em.flush()
  return deck
}

async function labelled(label: string): Promise<Tag> {
  const em = scope()
  const tag = em.create(Tag, { label })
  await em.flush()
  return tag
}

const changing = async (tag: Tag, label: string) => {
  const em = scope()
  const known = await em.findOneOrFail(Tag, tag.id)
  return async () => {
    known.label = label
    await em.flush()
  }
}

describe('revert', () => {
  test('takes back an update, property by property, and says of what it is the answer', async () => {
    const { note } = await noteWithPast()
    const updated = await eventOf('note.updated')
    await revert(scope(), updated)
    expect(await scope().findOneOrFail(Note, note.id)).toMatchObject({ title: 'first', data: { a: { b: 1 }, c: 2 } })
    expect((await history(scope(), note)).at(-1)!.event).toMatchObject({ type: 'note.updated', causationId: updated.id })
    await agree()
  })

  test('refuses when a later change would be lost, and does it when told to', async () => {
    const { em, note } = await noteWithPast()
    const updated = await eventOf('note.updated')
    note.title = 'third'
    await em.flush()
    await expect(revert(scope(), updated)).rejects.toMatchObject({ code: 'history.revert_conflict', details: { properties: ['title'] } })
    expect((await scope().findOneOrFail(Note, note.id)).title).toBe('third')
    await revert(scope(), updated, { force: true })
    expect(await scope().findOneOrFail(Note, note.id)).toMatchObject({ title: 'first', data: { a: { b: 1 }, c: 2 } })
  })

  test('leaves alone what others changed elsewhere, in the same document, too', async () => {
    const { em, note } = await noteWithPast()
    const updated = await eventOf('note.updated')
    note.data = { a: { b: 2 }, c: 3 }
    note.stars = 5
    await em.flush()
    await revert(scope(), updated)
    expect(await scope().findOneOrFail(Note, note.id)).toMatchObject({ title: 'first', stars: 5, data: { a: { b: 1 }, c: 3 } })
    await agree()
  })

  test('takes back a relation, a creation, a deletion', async () => {
    const { note, tag } = await noteWithPast()
    await revert(scope(), await eventOf('note.tags-changed'))
    expect((await scope().findOneOrFail(Note, note.id, { populate: ['tags'] })).tags.getItems()).toEqual([])
    await revert(scope(), await eventOf('tag.created'))
    expect(await scope().count(Tag, tag.id)).toBe(0)
    await revert(scope(), await eventOf('tag.deleted'))
    expect(await scope().findOneOrFail(Tag, tag.id)).toMatchObject({ label: 'urgent' })
    await agree()
  })

  test('of a creation refuses when something happened to the row since', async () => {
    const { note } = await noteWithPast()
    await expect(revert(scope(), await eventOf('note.created'))).rejects.toMatchObject({ code: 'history.revert_conflict' })
    expect(await scope().count(Note, note.id)).toBe(1)
  })

  test('of a creation refuses where rows point at what would go, and does it when told to', async () => {
    const em = scope()
    const note = em.create(Note, { title: 'read by others' })
    await em.flush()
    const created = await eventOf('note.created')
    const others = scope()
    others.create(Line, { note: note.id, text: 'somebody else’s' })
    others.create(Note, { title: 'below', parent: note.id })
    await others.flush()
    await expect(revert(scope(), created)).rejects.toMatchObject({
      code: 'history.revert_conflict',
      message: expect.stringContaining('line.note') as string,
      details: { properties: [], references: ['note.parent', 'line.note'] },
    })
    expect([await scope().count(Line), await scope().count(Note, { parent: note.id })]).toEqual([1, 1])
    await revert(scope(), created, { force: true })
    expect([await scope().count(Line), await scope().count(Note, { parent: null })]).toEqual([0, 1])
    await agree()
  })

  test('of a creation refuses where others link to what would go', async () => {
    const { note } = await noteWithPast()
    await expect(revert(scope(), await eventOf('tag.created'))).rejects.toMatchObject({ details: { references: ['note.tags'] } })
    expect((await scope().findOneOrFail(Note, note.id, { populate: ['tags'] })).tags).toHaveLength(1)
  })

  test('of a creation doesn’t mind that the row points at itself', async () => {
    const em = scope()
    const note = em.create(Note, { title: 'its own parent' })
    await em.flush()
    note.parent = wrap(note).toReference()
    await em.flush()
    await expect(revert(scope(), await eventOf('note.created'))).rejects.toMatchObject({ details: { references: [] } })
  })

  test('gives back what the row was, and not what its writer believed', async () => {
    const tag = await labelled('a')
    const late = await changing(tag, 'c')
    await (
      await changing(tag, 'b')
    )()
    await late()
    const last = await eventOf('tag.updated')
    expect(last.before).toMatchObject({ label: 'a' })
    await revert(scope(), last)
    expect((await scope().findOneOrFail(Tag, tag.id)).label).toBe('b')
    await agree()
  })

  test('gives a document back whose keys no path can name', async () => {
    const em = scope()
    const was = { 'a.b': 1, a: { b: 1 }, '': 1, deep: { 'x.y': [1] }, same: 1 }
    const note = em.create(Note, { title: 'n', data: was })
    await em.flush()
    for (const data of [{ ...was, 'a.b': 2 }, { ...was, '': 2 }, { ...was, deep: { 'x.y': [2], x: 1 } }, { ...was, a: { b: 2 } }, {}]) {
      note.data = data
      await em.flush()
      await revert(scope(), await eventOf('note.updated'))
      expect((await scope().findOneOrFail(Note, note.id)).data).toStrictEqual(was)
      await em.refresh(note)
    }
    await transact(other => other.execute(`update note set data = data || '{"a.b": 3}' where id = ?`, [note.id]))
    await revert(scope(), await eventOf('note.updated'))
    expect((await scope().findOneOrFail(Note, note.id)).data).toStrictEqual(was)
    await agree()
  })

  test('of a mark of deletion takes the mark away', async () => {
    const deck = await markedDeck()
    expect(await scope().count(Deck)).toBe(0)
    await revert(scope(), await eventOf('deck.updated'))
    expect(await scope().findOneOrFail(Deck, deck.id)).toMatchObject({ title: 'kept', deletedAt: null })
    await agree()
  })

  test('of a link finds what is linked also where that is marked as deleted', async () => {
    const deck = await markedDeck()
    await revert(scope(), await eventOf('deck.tags-changed'))
    const found = await scope().findOneOrFail(Deck, deck.id, { populate: ['tags'], filters: { live: false } })
    expect(found.tags.getItems()).toEqual([])
  })

  test('of an unknown event, another tenant’s, or none says so and changes nothing', async () => {
    await noteWithPast()
    const event = await eventOf('note.updated')
    model.tenant = newId()
    for (const id of [newId(), event.id, 'nonsense', `' or true --`]) {
      await expect(revert(scope(), id)).rejects.toMatchObject({ code: 'history.event_unknown' })
    }
  })
})

describe('restore', () => {
  test('brings a row back as it was, relations that are still there included', async () => {
    const { em, note, tag } = await noteWithPast()
    const before = await scope().findOneOrFail(Note, note.id)
    em.remove(note)
    await em.flush()
    const back = await restore(scope(), [Note, note.id])
    expect(back.tags.getIdentifiers()).toEqual([tag.id])
    const now = await scope().findOneOrFail(Note, note.id, { populate: ['tags'] })
    expect(now).toMatchObject({ title: 'second', data: before.data, place: { city: 'Lyon' }, createdAt: before.createdAt })
    expect([back.version, now.version]).toEqual([before.version + 1, before.version + 1])
    expect((await history(scope(), note)).at(-2)!.event).toMatchObject({ type: 'note.created' })
    await agree()
  })

  test('amid new rows of the same entity counts on in that row alone, and writes to each afterwards', async () => {
    const { em, note } = await noteWithPast()
    const version = note.version
    await em.remove(note).flush()
    await transact(async inner => {
      const earlier = inner.create(Note, { title: 'earlier' } as never)
      const back = await restore(inner, [Note, note.id])
      const later = inner.create(Note, { title: 'later' } as never)
      await inner.flush()
      expect([earlier.version, back.version, later.version]).toEqual([1, version + 1, 1])
      for (const each of [earlier, back, later]) each.title += ', changed'
      await inner.flush()
      expect([earlier.version, back.version, later.version]).toEqual([2, version + 2, 2])
    })
    await agree()
  })

  test('brings back a row that pointed at itself', async () => {
    const em = scope()
    const note = em.create(Note, { title: 'its own parent' })
    note.tags.add(em.create(Tag, { label: 'urgent' }))
    await em.flush()
    note.parent = wrap(note).toReference()
    await em.flush()
    em.remove(note)
    await em.flush()
    await restore(scope(), [Note, note.id])
    const back = await scope().findOneOrFail(Note, note.id, { populate: ['tags'] })
    expect([back.title, back.parent?.id, back.tags.length]).toEqual(['its own parent', note.id, 1])
    await agree()
  })

  test('brings a child of an inheritance tree back as what it was', async () => {
    const em = scope()
    const letter = em.create(Letter, { subject: 'Dear', greeting: 'hi' } as never)
    await em.flush()
    em.remove(letter)
    await em.flush()
    expect(await restore(scope(), [Letter, letter.id])).toBeInstanceOf(Letter)
    expect(await scope().findOneOrFail(Letter, letter.id)).toMatchObject({ greeting: 'hi' })
    await agree()
  })

  test('of what is there, or never was, says so', async () => {
    const { note } = await noteWithPast()
    await expect(restore(scope(), [Note, note.id])).rejects.toMatchObject({ code: 'history.not_restorable' })
    await expect(restore(scope(), [Note, newId()])).rejects.toMatchObject({ code: 'history.not_restorable' })
  })

  test('brings a row back with what its deletion’s own transaction changed before, by whatever route', async () => {
    const { note, tag } = await noteWithPast()
    const deletions = [
      (em: ScopedEntityManager, now: Note) => em.remove(now).flush(),
      (em: ScopedEntityManager, now: Note) => em.execute('delete from note where id = ?', [now.id]),
    ]
    for (const [stars, deleted] of deletions.entries()) {
      await transact(async em => {
        const now = await em.findOneOrFail(Note, note.id)
        now.title = `changed ${stars}`
        await em.flush()
        await em.execute('update note set stars = ? where id = ?', [stars + 7, note.id])
        await deleted(em, now)
      })
      await restore(scope(), [Note, note.id])
      const back = await scope().findOneOrFail(Note, note.id, { populate: ['tags'] })
      expect(back).toMatchObject({ title: `changed ${stars}`, stars: stars + 7, data: { a: { b: 2 }, c: 2 } })
      expect(back.tags.getIdentifiers()).toEqual([tag.id])
    }
    await agree()
  })

  test('takes away the mark of what is only marked as deleted, and says of what that is the answer', async () => {
    const deck = await markedDeck()
    const marked = await eventOf('deck.updated')
    expect(await restore(scope(), [Deck, deck.id])).toMatchObject({ title: 'kept', deletedAt: null })
    expect(await scope().findOneOrFail(Deck, deck.id)).toMatchObject({ deletedAt: null })
    expect((await history(scope(), deck)).at(-1)!.event).toMatchObject({ type: 'deck.updated', causationId: marked.id })
    await expect(restore(scope(), [Deck, deck.id])).rejects.toMatchObject({ code: 'history.not_restorable' })
    await agree()
  })

  test('brings back what was marked before it was removed, marked and with its links', async () => {
    const deck = await markedDeck()
    await transact(em => em.nativeDelete(Deck, deck.id, { filters: { live: false } }))
    await restore(scope(), [Deck, deck.id])
    const back = await scope().findOneOrFail(Deck, deck.id, { populate: ['tags'], filters: { live: false } })
    expect([back.deletedAt, back.tags.length]).toEqual([deck.deletedAt, 1])
    await agree()
  })
})
