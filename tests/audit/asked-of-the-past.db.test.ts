import { expect, test } from 'vitest'
import { AuditEvent, decide } from '../../src/audit/index.ts'
import { feed, history, why } from '../../src/readers/index.ts'
import { Note } from './model.ts'
import { usePast } from './use-past.ts'

const { transact, noteWithPast } = usePast()

test('who reads the log in a transaction reads what that has flushed', async () => {
  const { note } = await noteWithPast()
  await transact(async em => {
    const known = await em.findOneOrFail(Note, note.id)
    known.title = 'third'
    await em.flush()
    expect((await history(em, known)).at(-1)!.changes).toContainEqual({ property: 'title', before: 'second', after: 'third' })
    known.title = 'fourth'
    await em.flush()
    expect((await feed(em, {}, { limit: 1 })).items[0]!.after).toMatchObject({ title: 'fourth' })
    const { id } = await decide(em, { type: 'note.name', subject: known, outcome: 'fifth', rationale: 'better' }, async () => {
      known.title = 'fifth'
    })
    expect((await why(em, known, 'title'))?.decision?.id).toBe(id)
    await decide(em, { type: 'note.name', subject: known, outcome: 'sixth', rationale: 'best', overrides: id })
    expect(await em.count(AuditEvent, { kind: 'decision' })).toBe(2)
  })
})
