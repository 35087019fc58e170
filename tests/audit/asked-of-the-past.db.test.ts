import { expect, test } from 'vitest'
import { AuditEvent, decide } from '../../src/audit/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { asOf, feed, history, why } from '../../src/readers/index.ts'
import { Note, Tag } from './model.ts'
import { usePast } from './use-past.ts'

const { model, scope, transact, noteWithPast } = usePast()

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

test('an event stays in the past, though its transaction had the number that another has on this server', async () => {
  const tag = newId()
  await transact(async em => {
    // As if they had been restored: what is new has numbers that somebody else had on the server before, and lower ones than the latest.
    const restored = async (label: string, recordedAt: string, xact: string) =>
      em.execute(
        `insert into audit_event (tenant_id, type, entity, entity_id, recorded_at, xact, after)
           values (?, 'tag.created', 'tag', ?, ${recordedAt}, ${xact}, json_build_object('label', ?::text))`,
        [model.tenant, label === 'long ago' ? tag : newId(), label],
      )
    await restored('long ago', `now() - interval '2 days'`, 'pg_current_xact_id()')
    await restored('lately', `now() - interval '10 minutes'`, `'1000000000'`)
    em.create(Tag, { label: 'since' })
  })
  const past = asOf(scope(), new Date(Date.now() - 60_000))
  expect((await past.find(Tag, {}, { orderBy: { label: 'asc' } })).map(({ label }) => label)).toEqual(['lately', 'long ago'])
  expect((await past.findOneOrFail(Tag, tag)).label).toBe('long ago')
})
