import { describe, expect, test } from 'vitest'
import { Line, Note, Tag } from './model.ts'
import { useWitness } from './use-witness.ts'

const { scope, events, told } = useWitness()

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
