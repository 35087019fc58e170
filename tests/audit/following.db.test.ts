import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { activityOf, activityPerDay, type Progress, rebuild, subscribe } from '../../src/readers/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { entities, migrations, Tag } from './model.ts'

let database: TestDatabase
const scopeOf = (tenant: string) => ({ tenant, actor: systemActor('follower') })

beforeAll(async () => {
  database = await openTestDatabase({ entities, migrations, poolMax: 20 })
})
afterAll(() => database.daybook.close())

async function write(tenant: string, count: number): Promise<void> {
  const em = database.daybook.scope(scopeOf(tenant))
  for (let index = 0; index < count; index++) em.create(Tag, { label: `tag ${index}` })
  await em.flush()
}

describe('a subscription', () => {
  test('hands over each event once, in order, and goes on where it stood', async () => {
    const tenant = newId()
    const seen: number[] = []
    const follow = () =>
      subscribe(database.daybook, 'one', async events => void seen.push(...events.map(({ seq }) => seq)), {
        scope: scopeOf(tenant),
        batch: 7,
        pollMs: 10,
      })
    await write(tenant, 20)
    const first = follow()
    await first.caughtUp()
    await first.close()
    expect(seen).toHaveLength(20)
    await write(tenant, 5)
    await using second = follow()
    await second.caughtUp()
    expect(seen).toHaveLength(25)
    expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b))
    expect(await second.progress()).toMatchObject({ behind: 0 })
  })

  test('whose handler fails writes nothing, says so, and tries again', async () => {
    const tenant = newId()
    await write(tenant, 3)
    let failures = 0
    const told: unknown[] = []
    await using subscription = subscribe(
      database.daybook,
      'failing',
      async (events, em) => {
        if (told.length > 0) return
        em.create(Tag, { label: 'written by the handler' })
        if (failures++ < 2) throw new Error('not yet')
        told.push(...events)
      },
      { scope: scopeOf(tenant), pollMs: 5, batch: 3, onError: () => {} },
    )
    while (told.length < 3) await sleep(10)
    await subscription.close()
    expect(told).toHaveLength(3)
    expect(await database.daybook.scope(scopeOf(tenant)).count(Tag, { label: 'written by the handler' })).toBe(1)
  })

  test('shares its name with others that take over', async () => {
    const tenant = newId()
    const seen: number[] = []
    const follow = () =>
      subscribe(database.daybook, 'shared', async events => void seen.push(...events.map(({ seq }) => seq)), {
        scope: scopeOf(tenant),
        batch: 3,
        pollMs: 5,
      })
    const followers = [follow(), follow(), follow()]
    for (let round = 0; round < 5; round++) await write(tenant, 4)
    await followers[0]!.close()
    await followers[1]!.caughtUp()
    await Promise.all(followers.map(follower => follower.close()))
    expect(seen).toHaveLength(20)
    expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b))
  })
})

test('a projection is kept by following, and made anew gives the same', async () => {
  const tenant = newId()
  await write(tenant, 9)
  await using subscription = subscribe(database.daybook, activityPerDay.name, activityPerDay.handle, {
    scope: scopeOf(tenant),
    pollMs: 5,
    batch: 4,
  })
  await write(tenant, 2)
  await subscription.caughtUp()
  await subscription.close()
  const read = () => activityOf(database.daybook.scope(scopeOf(tenant)), '2000-01-01')
  const kept = await read()
  expect(kept).toEqual([
    { day: new Date().toISOString().slice(0, 10), actorType: 'system', actorId: 'follower', type: 'tag.created', events: 11 },
  ])
  const steps: Pick<Progress, 'position' | 'latest' | 'behind'>[] = []
  await rebuild(database.daybook, activityPerDay, {
    scope: scopeOf(tenant),
    batch: 5,
    onProgress: progress => void steps.push(progress),
  })
  expect(await read()).toEqual(kept)
  expect(steps.length).toBeGreaterThanOrEqual(3)
  for (const { position, latest, behind } of steps) expect([latest >= position, behind]).toEqual([true, latest - position])
})

test('a projection that can’t be made anew says why instead of trying for ever', async () => {
  const tenant = newId()
  await write(tenant, 3)
  const broken = { name: 'broken', clear: async () => {}, handle: () => Promise.reject(new Error('A step is missing.')) }
  await expect(rebuild(database.daybook, broken, { scope: scopeOf(tenant) })).rejects.toThrow('A step is missing.')
})

test('progress tells of a batch that fails', async () => {
  const tenant = newId()
  await write(tenant, 3)
  const options = { scope: scopeOf(tenant), pollMs: 5, onError: () => {} }
  await using subscription = subscribe(database.daybook, 'stuck', () => Promise.reject(new Error('No room.')), options)
  await expect.poll(() => subscription.progress(), { timeout: 10_000 }).toMatchObject({ behind: expect.any(Number), lastError: 'No room.' })
  expect((await subscription.progress()).failures).toBeGreaterThan(0)
})
