import { describe, expect, test } from 'vitest'
import { newId } from '../../src/kernel/id.ts'
import { history, restore, revert } from '../../src/readers/index.ts'
import { Letter, Note, Tag } from './model.ts'
import { usePast } from './use-past.ts'

const { model, scope, noteWithPast, eventOf, agree } = usePast()

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
    expect((await history(scope(), note)).at(-2)!.event).toMatchObject({ type: 'note.created' })
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
})
