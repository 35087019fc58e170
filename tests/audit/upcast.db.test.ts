import { describe, expect, test } from 'vitest'
import { newId } from '../../src/kernel/id.ts'
import { asOf, diff, feed, history, revert, why } from '../../src/readers/index.ts'
import { inTodaysShape } from '../../src/readers/upcast.ts'
import { Card, Deck, Tag } from './model.ts'
import { usePast } from './use-past.ts'

const { model, scope, transact, agree } = usePast()

interface Written {
  readonly changed?: string
  readonly before?: object
  readonly after?: object
}

/** An event as an earlier version of the model wrote it. */
async function wrote(type: string, id: string, version: number, { changed = null as never, before, after }: Written): Promise<void> {
  const json = (side: object | undefined) => (side === undefined ? null : JSON.stringify(side))
  await transact(em =>
    em.execute(
      `insert into audit_event (tenant_id, type, entity, entity_id, schema_version, changed, before, after) values (?, ?, ?, ?, ?, ?, ?, ?)`,
      [model.tenant, type, type.split('.')[0], id, version, changed, json(before), json(after)],
    ),
  )
}

test('events of an earlier shape are read in today’s, by every reader', async () => {
  const id = newId()
  await wrote('card.created', id, 1, { after: { headline: 'first', mood: 'GOOD', status: 'OLD' } })
  await wrote('card.updated', id, 2, { changed: '{title}', before: { title: 'first' }, after: { title: 'second' } })
  const [created, updated] = await history(scope(), [Card, id])
  expect(created!.changes).toEqual([
    { property: 'title', after: 'first' },
    { property: 'status', after: 'ARCHIVED' },
  ])
  expect(updated!.changes).toEqual([{ property: 'title', before: 'first', after: 'second' }])
  expect(await asOf(scope(), created!.event).findOneOrFail(Card, id)).toMatchObject({ title: 'first', status: 'ARCHIVED' })
  expect(await asOf(scope(), updated!.event).findOneOrFail(Card, { title: 'second', status: 'ARCHIVED' })).toMatchObject({ id })
  expect(await diff(scope(), [Card, id], created!.event, updated!.event)).toEqual([{ property: 'title', before: 'first', after: 'second' }])
  expect(created!.event.after).toMatchObject({ headline: 'first', mood: 'GOOD' })
})

test('columns that took each other’s names in one step are told apart, by every reader', async () => {
  const past = [{ renamed: { headline: 'title', title: 'subtitle', a: 'b', b: 'a' }, values: { subtitle: { OLD: 'ARCHIVED' } } }]
  const told = { a: 1, b: 2, title: 'OLD', headline: 'first', kept: null }
  const inSql = await transact(em =>
    em.execute<{ told: object }[]>('select daybook_upcast(?::json, 1, ?::jsonb) as told', [JSON.stringify(told), JSON.stringify(past)]),
  )
  expect(inSql[0]!.told).toEqual({ a: 2, b: 1, title: 'first', subtitle: 'ARCHIVED', kept: null })
  const inMemory = inTodaysShape({ schemaVersion: 1, changed: ['headline', 'title.x'], before: null, after: told }, past)
  expect(inMemory).toEqual({ changed: ['title', 'subtitle.x'], before: null, after: inSql[0]!.told })
})

test('a new event carries the version of its shape, whoever writes it', async () => {
  const em = scope()
  const card = em.create(Card, { title: 'a', status: 'OPEN' })
  await em.flush()
  await transact(other => other.nativeUpdate(Card, card.id, { title: 'b' }))
  expect((await history(scope(), card)).map(({ event }) => event.schemaVersion)).toEqual([3, 3])
  await agree()
})

describe('of an earlier shape', () => {
  /** A deck that had a headline when it was made and renamed, and marks when one was put on it. */
  async function oldDeck() {
    const em = scope()
    const tag = em.create(Tag, { label: 'urgent' })
    await em.flush()
    const id = newId()
    await wrote('deck.created', id, 1, { after: { headline: 'first', status: 'OLD' } })
    await wrote('deck.updated', id, 1, { changed: '{headline}', before: { headline: 'first' }, after: { headline: 'second' } })
    await wrote('deck.updated', id, 1, { before: { headline: 'second' }, after: { headline: 'third' } })
    await wrote('deck.marks-changed', id, 1, { changed: '{marks}', before: { marks: [] }, after: { marks: [tag.id] } })
    return { id, tag }
  }

  test('a property is found by the name that it has today', async () => {
    const { id } = await oldDeck()
    const types = async (property: string) => (await feed(scope(), { entity: Deck, entityId: id, property })).items.map(({ type }) => type)
    expect(await types('title')).toEqual(['deck.updated', 'deck.updated', 'deck.created'])
    expect(await types('tags')).toEqual(['deck.marks-changed'])
    expect(await types('headline')).toEqual([])
    expect((await why(scope(), [Deck, id], 'title'))!.change.changes).toEqual([{ property: 'title', before: 'second', after: 'third' }])
  })

  test('a value in whose place nothing stands today is nothing to every reader', async () => {
    const { id } = await oldDeck()
    const [created] = await history(scope(), [Deck, id])
    expect(created!.changes).toEqual([
      { property: 'title', after: 'first' },
      { property: 'status', after: null },
    ])
    expect(await asOf(scope(), created!.event).findOneOrFail(Deck, id)).toMatchObject({ title: 'first', status: null })
  })

  test('a change is taken back in today’s words, unless a later one would be lost', async () => {
    const { id, tag } = await oldDeck()
    await transact(em => em.insert(Deck, { id, title: 'third', tenantId: model.tenant }))
    await transact(em => em.execute('insert into deck_tags (deck_id, tag_id) values (?, ?)', [id, tag.id]))
    const [, renamed, again, marked] = (await history(scope(), [Deck, id])).map(({ event }) => event)
    await expect(revert(scope(), renamed!)).rejects.toMatchObject({ code: 'history.revert_conflict', details: { properties: ['title'] } })
    await revert(scope(), again!)
    expect((await scope().findOneOrFail(Deck, id)).title).toBe('second')
    await revert(scope(), marked!, { force: true })
    expect((await scope().findOneOrFail(Deck, id, { populate: ['tags'] })).tags.getItems()).toEqual([])
    await agree()
  })
})
