import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ActivityLog, AuditEvent, DecisionLog } from '../../src/audit/index.ts'
import { systemActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { asOf, diff, feed, history, restore, revert, why } from '../../src/readers/index.ts'
import { Line, Note, Tag } from './model.ts'
import { usePast } from './use-past.ts'

const { model, scope, transact, noteWithPast, eventOf, agree } = usePast()

describe('history', () => {
  test('tells an entity’s life in the entity’s own words, relations included', async () => {
    const { note, tag } = await noteWithPast()
    const life = await history(scope(), note)
    expect(life.map(({ event }) => event.type)).toEqual(['note.created', 'note.updated', 'note.tags-changed'])
    expect(life[0]!.changes).toContainEqual({ property: 'place.city', after: 'Lyon' })
    expect(life[1]!.changes).toContainEqual({ property: 'title', before: 'first', after: 'second' })
    expect(life[1]!.changes).toContainEqual({ property: 'data.a.b', before: 1, after: 2 })
    expect(life[2]!.changes).toEqual([{ property: 'tags', before: [], after: [tag.id] }])
    expect((await history(scope(), [Note, note.id], { limit: 1 })).map(({ event }) => event.type)).toEqual(['note.tags-changed'])
  })

  test('gives each event as the ORM would find it', async () => {
    const { note } = await noteWithPast()
    const found = await scope().find(AuditEvent, { entityId: note.id }, { orderBy: { seq: 'asc' } })
    const told = (await history(scope(), note)).map(({ event }) => event)
    expect(told.map(Object.entries)).toStrictEqual(found.map(Object.entries))
    expect(told.every(event => event instanceof AuditEvent)).toBe(true)
    expect(JSON.stringify(told)).toBe(JSON.stringify(found))
    expect(inspect(told)).toBe(inspect(found))
    expect((await feed(scope(), { entityId: note.id })).items).toStrictEqual(told.toReversed())
  })

  test('keeps numbers that JavaScript would round', async () => {
    const em = scope()
    const note = em.create(Note, { title: 'n', views: '9007199254740993' })
    await em.flush()
    expect((await history(em, note))[0]!.changes).toContainEqual({ property: 'views', after: '9007199254740993' })
  })

  test('tells a change under a key that no path can name with the document above', async () => {
    const em = scope()
    const note = em.create(Note, { title: 'n', data: { 'x.y': 1, x: { y: 5 }, deep: { '': 1 } } })
    await em.flush()
    note.data = { 'x.y': 1, x: { y: 6 }, deep: { '': 2 } }
    await em.flush()
    expect((await history(em, note))[1]!.changes.filter(({ property }) => property.startsWith('data'))).toEqual([
      { property: 'data.x.y', before: 5, after: 6 },
      { property: 'data.deep', before: { '': 1 }, after: { '': 2 } },
    ])
    note.data = { 'x.y': 2, x: { y: 7 }, deep: { '': 2 } }
    await em.flush()
    expect((await history(em, note))[2]!.changes).toContainEqual({
      property: 'data',
      before: { 'x.y': 1, x: { y: 6 }, deep: { '': 2 } },
      after: { 'x.y': 2, x: { y: 7 }, deep: { '': 2 } },
    })
    await agree()
  })

  test('of another tenant’s entity is empty', async () => {
    const { note } = await noteWithPast()
    model.tenant = newId()
    expect(await history(scope(), [Note, note.id])).toEqual([])
  })

  test('is offered through views, too', async () => {
    await noteWithPast()
    expect(await scope().count(ActivityLog, { tenantId: model.tenant })).toBe(4)
    expect(await scope().count(DecisionLog, { tenantId: model.tenant })).toBe(0)
  })
})

describe('as of', () => {
  test('an instant or an event, everything is as it was, whatever is asked', async () => {
    const { em, note, tag } = await noteWithPast()
    const line = em.create(Line, { note, text: 'one' })
    await em.flush()
    await sleep(5)
    const then = new Date()
    await sleep(5)
    em.remove(line)
    tag.label = 'changed'
    note.tags.removeAll()
    note.title = 'third'
    await em.flush()
    const past = await asOf(scope(), then).findOneOrFail(Note, note.id, { populate: ['tags', 'lines'] })
    expect(past).toMatchObject({ title: 'second', place: { city: 'Lyon' } })
    expect(past.tags.getItems().map(({ label }) => label)).toEqual(['urgent'])
    expect(past.lines.getItems().map(({ text }) => text)).toEqual(['one'])
    expect(await asOf(scope(), then).count(Note, { title: 'second' })).toBe(1)
    expect(await asOf(scope(), then).find(Note, { tags: { label: 'urgent' } })).toHaveLength(1)
    expect(await asOf(scope(), then).execute('select label from tag')).toEqual([{ label: 'urgent' }])
    const joined = await asOf(scope(), then).find(Note, {}, { populate: ['tags'], strategy: 'joined' })
    expect(joined[0]!.tags.getItems().map(({ label }) => label)).toEqual(['urgent'])
    const created = await eventOf('note.created')
    expect(await asOf(scope(), created).findOneOrFail(Note, note.id)).toMatchObject({ title: 'first' })
    expect(await asOf(scope(), { before: await eventOf('line.deleted') }).count(Line)).toBe(1)
  })

  test('a moment inside an open transaction reads beside the present', async () => {
    const { note } = await noteWithPast()
    const created = await eventOf('note.created')
    await transact(async em => {
      const now = await em.findOneOrFail(Note, note.id)
      const then = await asOf(em, created).findOneOrFail(Note, note.id)
      expect([now.title, then.title]).toEqual(['second', 'first'])
    })
  })

  test('at an instant is the state after the last event before it, whatever number that event has', async () => {
    // Read as text, 99 is more than 100 and 9 more than 10: the positions of this tenant's events cross such a border.
    for (let round = 0; round < 12; round++) {
      await transact(async em => {
        for (let index = 0; index < 10; index++) em.create(Tag, { label: `${round}-${index}` })
      })
      const [seen, there] = await transact(async em => [await asOf(em, new Date()).count(Tag), await em.count(Tag)])
      expect(seen).toBe(there)
    }
  })

  test('nothing can be written, streamed or asked past the view', async () => {
    const { note } = await noteWithPast()
    const past = asOf(scope(), await eventOf('note.created'))
    const then = await past.findOneOrFail(Note, note.id)
    then.title = 'rewritten'
    await expect(past.flush()).rejects.toMatchObject({ code: 'history.read_only' })
    await expect(past.nativeDelete(Note, note.id)).rejects.toMatchObject({ code: 'history.read_only' })
    expect(() => past.getKysely()).toThrow('Kysely')
    const fresh = asOf(scope(), new Date())
    await expect(fresh.transactional(async em => void em.create(Tag, { label: 'x' }))).rejects.toMatchObject({ code: 'history.read_only' })
    await agree()
  })

  test('and nothing writes by what a question calls, also amid a transaction that goes on writing', async () => {
    const { note } = await noteWithPast()
    const event = JSON.stringify([{ t: model.tenant, y: 'test.told' }])
    const created = await eventOf('note.created')
    const asked = [
      'select "daybook_append"(?::json)',
      'with told as (select daybook_append(?::json)) select * from told',
      `with told as (insert into audit_event (tenant_id, type) select t, y from json_to_recordset(?::json) as r (t uuid, y text) returning id) select * from told`,
    ]
    for (const sql of asked) {
      const refused = transact(em => asOf(em, created).execute(sql, [event]))
      await expect(refused).rejects.toMatchObject({ code: 'history.read_only' })
    }
    await transact(async em => {
      const now = await em.findOneOrFail(Note, note.id)
      now.title = 'third'
      const [past] = await Promise.all([asOf(em, created).findOneOrFail(Note, note.id), asOf(em, created).count(Tag), em.flush()])
      expect(past.title).toBe('first')
      now.title = 'fourth'
    })
    expect((await scope().findOneOrFail(Note, note.id)).title).toBe('fourth')
    expect((await feed(scope(), { type: 'test.told' })).items).toEqual([])
    await agree()
  })

  test('a table that is named with its schema, where the past isn’t, is refused', async () => {
    const { tag } = await noteWithPast()
    const past = asOf(scope(), await eventOf('tag.created'))
    for (const name of ['public.tag', '"public"."tag"', 'PUBLIC . "tag"', 'public.note_tags']) {
      await expect(past.execute(`select * from ${name}`)).rejects.toMatchObject({ code: 'history.schema_named' })
    }
    expect(await past.execute(`select tag.label, 'public.tag' as text from tag where tag.id = ?`, [tag.id])).toEqual([
      { label: 'urgent', text: 'public.tag' },
    ])
  })

  test('a moment before the first event, one that is none, or an unknown event says so', async () => {
    await noteWithPast()
    await expect(asOf(scope(), '2001-01-01').find(Note, {})).rejects.toMatchObject({ code: 'history.nothing_then' })
    await expect(asOf(scope(), 'yesterday-ish').find(Note, {})).rejects.toMatchObject({ code: 'history.moment_invalid' })
    await expect(asOf(scope(), { id: newId() }).find(Note, {})).rejects.toMatchObject({ code: 'history.event_unknown' })
    await expect(asOf(scope(), { id: `'; drop table note; --` }).find(Note, {})).rejects.toMatchObject({ code: 'history.event_unknown' })
  })
})

test('diff tells how an entity differs between two moments', async () => {
  const { note, tag } = await noteWithPast()
  const differences = await diff(scope(), note, await eventOf('note.created'), new Date(Date.now() + 1_000))
  expect(differences).toContainEqual({ property: 'title', before: 'first', after: 'second' })
  expect(differences).toContainEqual({ property: 'data.a.b', before: 1, after: 2 })
  expect(differences).toContainEqual({ property: 'tags', before: null, after: [tag.id] })
  expect(differences.map(({ property }) => property)).not.toContain('place.city')
})

describe('the feed', () => {
  test('is read page by page, the newest first, while more is written', async () => {
    const em = scope()
    for (let index = 0; index < 25; index++) em.create(Tag, { label: `tag ${index}` })
    await em.flush()
    const seen: number[] = []
    let cursor: string | undefined
    do {
      const page = await feed(scope(), { type: 'tag.created' }, { limit: 10, ...(cursor && { cursor }) })
      seen.push(...page.items.map(({ seq }) => seq))
      cursor = page.cursor
      const meanwhile = scope()
      meanwhile.create(Tag, { label: 'meanwhile' })
      await meanwhile.flush()
    } while (cursor)
    expect(seen).toHaveLength(25)
    expect(seen).toEqual(seen.toSorted((a, b) => b - a))
    expect(new Set(seen).size).toBe(25)
  })

  test('is narrowed by actor, entity, property, kind, time and story', async () => {
    const { note } = await noteWithPast()
    const other = scope(systemActor('robot'))
    other.getReference(Note, note.id).stars = 4
    await other.flush()
    const types = async (filter: Parameters<typeof feed>[1]) => (await feed(scope(), filter)).items.map(({ type }) => type)
    expect(await types({ actor: { id: 'robot' } })).toEqual(['note.updated'])
    expect(await types({ actor: { type: 'system' } })).toEqual(['note.updated'])
    expect(await types({ entity: Tag })).toEqual(['tag.created'])
    expect(await types({ entity: Note, property: 'data' })).toEqual(['note.updated', 'note.created'])
    expect(await types({ entity: Note, property: 'data.a.b' })).toEqual(['note.updated', 'note.created'])
    expect(await types({ entity: Note, property: 'data.c' })).toEqual(['note.created'])
    expect(await types({ entity: Note, property: 'place.city' })).toEqual(['note.created'])
    expect(await types({ entity: Note, property: 'place' })).toEqual(['note.created'])
    expect(await types({ kind: 'decision' })).toEqual([])
    expect(await types({ until: new Date(0) })).toEqual([])
    expect(await types({ correlationId: 'story', entityId: note.id })).toHaveLength(4)
  })

  test('refuses a cursor that is damaged or belongs to another filter', async () => {
    await noteWithPast()
    const { cursor } = await feed(scope(), {}, { limit: 1 })
    for (const broken of ['x', '', `${cursor}x`.slice(3), Buffer.from('zz.zz').toString('base64url')]) {
      await expect(feed(scope(), {}, { cursor: broken })).rejects.toMatchObject({ code: 'history.cursor_invalid' })
    }
    await expect(feed(scope(), { entity: Tag }, { cursor: cursor! })).rejects.toMatchObject({ code: 'history.cursor_invalid' })
  })
})

test('why tells who changed what is embedded, by its parts and as a whole', async () => {
  const { em, note } = await noteWithPast()
  expect((await why(scope(), note, 'place'))!.change.event.type).toBe('note.created')
  note.place!.zip = '69001'
  await em.flush()
  expect((await why(scope(), note, 'place'))!.change.changes).toContainEqual({ property: 'place.zip', before: null, after: '69001' })
  expect((await why(scope(), note, 'place.city'))!.change.event.type).toBe('note.created')
  expect((await feed(scope(), { entity: Note, property: 'place' })).items.map(({ type }) => type)).toEqual(['note.updated', 'note.created'])
})

test('what is no id, no number or no moment is refused in words', async () => {
  const dashes = '-'.repeat(36)
  const nonsense = [Note, 'nonsense'] as const
  const questions = [
    history(scope(), nonsense),
    history(scope(), [Note, dashes]),
    history(scope(), [Note, newId()], { limit: Number.NaN }),
    history(scope(), [Note, newId()], { beforeSeq: 1.5 }),
    diff(scope(), nonsense, new Date(), new Date()),
    why(scope(), nonsense, 'title'),
    restore(scope(), nonsense),
    feed(scope(), { entityId: 'nonsense' }),
    feed(scope(), { decisionId: dashes }),
    feed(scope(), {}, { limit: Number.NaN }),
    feed(scope(), {}, { beforeSeq: Number.NaN }),
  ]
  for (const question of questions) await expect(question).rejects.toMatchObject({ code: 'history.question_invalid' })
  await expect(feed(scope(), { since: new Date('never') })).rejects.toMatchObject({ code: 'history.moment_invalid' })
  await expect(revert(scope(), dashes)).rejects.toMatchObject({ code: 'history.event_unknown' })
  await expect(asOf(scope(), { id: dashes }).find(Note, {})).rejects.toMatchObject({ code: 'history.event_unknown' })
})
