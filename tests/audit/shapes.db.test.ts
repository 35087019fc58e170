import { describe, expect, test } from 'vitest'
import { asOf, feed, history, restore, revert, why } from '../../src/readers/index.ts'
import { type Depot, Parcel, type Stop } from './shaped-model.ts'
import { useParcels } from './use-parcels.ts'

const { scope, parcel, lastEvent, agree } = useParcels()

const at = new Date('2026-01-01T00:00:00.120Z')
const depot = (name: string) => ({ name, papers: { a: 1, b: 2 }, openedAt: at }) as Depot
const stop = (city: string) =>
  ({ city, papers: { a: 1, b: 2 }, isDone: true, seenAt: at, depot: depot('one'), depots: [depot('two')] }) as Stop
const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown
const whole = (id: string) => scope().findOneOrFail(Parcel, id, { populate: ['letter', 'papers'] })

async function revertLast() {
  const event = await lastEvent('parcel.updated')
  await revert(scope(), event)
  await agree()
}

async function restored({ id }: Parcel) {
  const em = scope()
  await em.remove(await em.findOneOrFail(Parcel, id)).flush()
  await restore(scope(), [Parcel, id])
  await agree()
  return whole(id)
}

describe('what is only loaded when it is asked for', () => {
  test('comes back with the rest of a row that is restored', async () => {
    const { made } = await parcel({ letter: 'dear all', papers: { a: 1 } })
    expect(await restored(made)).toMatchObject({ letter: 'dear all', papers: { a: 1 } })
  })

  test('keeps the rest of a document of which one path is reverted', async () => {
    const { em, made } = await parcel({ papers: { a: 1, b: 2 } })
    made.papers = { a: 9, b: 2 }
    await em.flush()
    await revertLast()
    expect((await whole(made.id)).papers).toEqual({ a: 1, b: 2 })
  })
})

describe('what is embedded', () => {
  test('is reverted path by path, in columns of its own and in documents, however deep', async () => {
    const { em, made } = await parcel({ origin: stop('Lyon'), target: stop('Nice') })
    for (const changed of [made.origin!, made.target!]) {
      changed.papers = { a: 9, b: 2 }
      changed.depot!.name = 'another'
      changed.depot!.papers = { b: 2 }
      changed.depot!.openedAt = new Date()
      changed.depots = []
    }
    made.target!.seenAt = null
    await em.flush()
    const { changes } = (await history(scope(), made))[1]!
    expect(changes.map(({ property }) => property)).toEqual(expect.arrayContaining(['origin.depot.name', 'target.depot.openedAt']))
    await revertLast()
    const back = await whole(made.id)
    expect([plain(back.origin), plain(back.target)]).toEqual([plain(stop('Lyon')), plain(stop('Nice'))])
  })

  test('is reverted as a whole where it was emptied', async () => {
    const { em, made } = await parcel({ origin: stop('Lyon'), target: stop('Nice'), route: [stop('Metz'), stop('Brest')] })
    made.origin = made.target = null
    made.route = []
    await em.flush()
    await revertLast()
    const back = await whole(made.id)
    expect(plain(back)).toMatchObject(plain({ origin: stop('Lyon'), target: stop('Nice'), route: [stop('Metz'), stop('Brest')] }) as object)
  })

  test('is told under the names that its document has in the database, by either writer', async () => {
    const { em, made } = await parcel({ target: stop('Nice'), route: [stop('Metz')] })
    const created = await lastEvent('parcel.created')
    expect(created.after).toMatchObject({ target: { seen_at: at.toISOString(), depot: { opened_at: at.toISOString() } } })
    await agree()
    expect(plain(await asOf(scope(), created).findOneOrFail(Parcel, made.id))).toMatchObject(
      plain({ target: stop('Nice'), route: [stop('Metz')] }) as object,
    )
    const known = await whole(made.id)
    made.target!.seenAt = null
    await em.flush()
    expect((await lastEvent('parcel.updated')).changed).toEqual(['updated_at', 'target.seen_at'])
    await em.execute(`update parcel set target = jsonb_set(target, '{depot,opened_at}', '"2026-02-02T00:00:00Z"') where id = ?`, [known.id])
    const properties = (await history(scope(), made)).slice(1).flatMap(({ changes }) => changes.map(({ property }) => property))
    expect(properties.filter(property => property !== 'updatedAt')).toEqual(['target.seenAt', 'target'])
    expect((await feed(scope(), { entity: Parcel, property: 'target.seenAt' })).items).toHaveLength(3)
    expect((await why(scope(), made, 'target.depot.openedAt'))!.change.event.type).toBe('parcel.updated')
    await agree()
  })

  test('is restored, lists of it too', async () => {
    const { made } = await parcel({ origin: stop('Lyon'), target: stop('Nice'), route: [stop('Metz'), stop('Brest')] })
    const back = await restored(made)
    expect(plain(back)).toMatchObject(plain({ origin: stop('Lyon'), target: stop('Nice'), route: [stop('Metz'), stop('Brest')] }) as object)
  })
})

describe('a number', () => {
  test('with a fraction in a column of integers is told as the row has it', async () => {
    for (const [given, kept] of [
      [1.5, 2],
      [-2.5, -3],
      [0.4, 0],
    ] as const) {
      const { em, made } = await parcel({ pieces: given })
      expect((await asOf(scope(), await lastEvent('parcel.created')).findOneOrFail(Parcel, made.id)).pieces).toBe(kept)
      made.pieces = given + 10
      await em.flush()
    }
    await agree()
  })

  test('keeps all its digits in the history, and when it is reverted or restored', async () => {
    const worth = '12345678901234567890.0123456789'
    const { em, made } = await parcel({ worth })
    made.worth = '1234567890123.4567890123'
    await em.flush()
    expect((await history(scope(), made))[1]!.changes).toContainEqual({
      property: 'worth',
      before: worth,
      after: '1234567890123.4567890123',
    })
    await revertLast()
    expect((await whole(made.id)).worth).toBe(worth)
    expect((await restored(made)).worth).toBe(worth)
  })

  test('that JavaScript holds exactly is one in the history', async () => {
    const { made } = await parcel({ rate: 1 / 81_000_000, worth: '2.5' })
    const { changes } = (await history(scope(), made))[0]!
    expect(changes).toEqual(
      expect.arrayContaining([
        { property: 'rate', after: 1 / 81_000_000 },
        { property: 'worth', after: 2.5 },
      ]),
    )
  })

  test('may be an element of an array', async () => {
    const { em, made } = await parcel({ weights: [1, -2] })
    expect(await whole(made.id)).toMatchObject({ weights: [1, -2] })
    made.weights = [3]
    await em.flush()
    await revertLast()
    expect(await whole(made.id)).toMatchObject({ weights: [1, -2] })
  })
})

test('a value of a type of one’s own is reverted and restored, also where it is embedded', async () => {
  const seen = () => ({ city: 'Nice', isDone: true }) as Stop
  const { em, made } = await parcel({ isFragile: true, origin: seen(), target: seen() })
  made.isFragile = made.origin!.isDone = made.target!.isDone = false
  await em.flush()
  await revertLast()
  const back = { isFragile: true, origin: { isDone: true }, target: { isDone: true } }
  expect(await whole(made.id)).toMatchObject(back)
  expect(await restored(made)).toMatchObject(back)
})

test('a span of time is told as a text', async () => {
  const { made } = await parcel({ waits: '1 day' })
  expect((await history(scope(), made))[0]!.changes).toContainEqual({ property: 'waits', after: '1 day' })
  await agree()
})

describe('a column that the database makes from others', () => {
  test('is in the past what it was made from then', async () => {
    const { em, made } = await parcel({ label: 'four' })
    const created = await lastEvent('parcel.created')
    made.label = 'longer'
    await em.flush()
    const past = asOf(scope(), created)
    expect(await past.findOneOrFail(Parcel, { length: 4 }, { orderBy: { length: 'asc' } })).toMatchObject({ label: 'four', length: 4 })
    expect(await past.count(Parcel, { length: 6 })).toBe(0)
    expect(await restored(made)).toMatchObject({ label: 'longer', length: 6 })
  })

  test('isn’t known of the past where it is made from what tells of a person', async () => {
    const { made } = await parcel({ sender: 'Ada' })
    expect((await whole(made.id)).initial).toBe('A')
    const then = await asOf(scope(), await lastEvent('parcel.created')).findOneOrFail(Parcel, made.id)
    expect(then).toMatchObject({ sender: 'Ada', initial: null })
  })
})
