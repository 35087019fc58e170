import { expect, test } from 'vitest'
import { AuditEvent, decide } from '../../src/audit/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { asOf, feed, history, why } from '../../src/readers/index.ts'
import { Note, Tag } from './model.ts'
import { usePast } from './use-past.ts'

const { model, scope, transact, noteWithPast, eventOf } = usePast()

test('the past may be asked by a query that goes on from its own answers', async () => {
  const em = scope()
  const top = em.create(Note, { title: 'top' })
  const below = em.create(Note, { title: 'below', parent: top })
  em.create(Note, { title: 'at the bottom', parent: below })
  await em.flush()
  const created = await eventOf('note.created')
  below.parent = null
  await em.flush()
  const tree = `with recursive tree as (
    select id, title, 1 as depth from note where id = ?
    union all select n.id, n.title, depth + 1 from note n join tree on n.parent_id = tree.id) select title, depth from tree order by depth`
  expect(await asOf(scope(), created).execute(tree, [top.id])).toEqual([
    { title: 'top', depth: 1 },
    { title: 'below', depth: 2 },
    { title: 'at the bottom', depth: 3 },
  ])
  expect(await scope().execute(tree, [top.id])).toHaveLength(1)
})

test('the past may be asked with a remark in front, which changes nothing', async () => {
  const { note } = await noteWithPast()
  const past = asOf(scope(), await eventOf('note.created'))
  for (const remark of ['of a report', 'daybook', 'daybook: unsent']) {
    const asked = past.createQueryBuilder(Note).comment(remark).where({ id: note.id })
    expect(await asked.execute('all')).toMatchObject([{ title: 'first' }])
  }
  expect(await past.execute('-- of a report\n  (select title from note) union select title from note')).toEqual([{ title: 'first' }])
  await expect(past.execute(`/* daybook */ update note set title = 'third'`)).rejects.toMatchObject({ code: 'history.read_only' })
})

test('the ORM’s cache of results keeps the past and the present apart', async () => {
  const { note } = await noteWithPast()
  const [em, created] = [scope(), await eventOf('note.created')]
  const titles = async (of: typeof em) => [
    (await of.find(Note, { id: note.id }, { cache: 5_000 }))[0]!.title,
    (await of.findOneOrFail(Note, note.id, { cache: ['the note', 5_000] })).title,
    await of.count(Note, { title: 'second' }, { cache: 5_000 }),
  ]
  expect(await titles(asOf(em, created))).toEqual(['first', 'first', 0])
  expect(await titles(em.fork())).toEqual(['second', 'second', 1])
  expect(await titles(asOf(em, created))).toEqual(['first', 'first', 0])
  await transact(async inner => {
    expect(await titles(asOf(inner, created))).toEqual(['first', 'first', 0])
    expect(await titles(inner)).toEqual(['second', 'second', 1])
  })
})

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
