import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { countsOf, mix } from '../../seeders/volume/mix.ts'
import { fillVolume, type VolumeProgress } from '../../seeders/volume/fill-volume.ts'
import { profileNamed, sharesOf } from '../../seeders/volume/profiles.ts'
import { progressLine } from '../../seeders/volume/progress-line.ts'
import { systemActor } from '../../src/context/index.ts'
import { Organization, SchedulingEvent, SeedRun, Task } from '../../src/entities.ts'
import { AuditEvent } from '../../src/audit/index.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { replayProblems } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'

const profile = profileNamed('small')
const tenants: string[] = []
const told: VolumeProgress[] = []
let daybook: Daybook

beforeAll(async () => {
  daybook = await openTestDaybook()
  await fillVolume(daybook, { profile, batch: 50, onProgress: progress => told.push(progress) })
  const operator = await asOperator()
  tenants.push(...(await operator.find(Organization, {}, { orderBy: { slug: 'asc' } })).map(({ id }) => id))
})
afterAll(() => daybook.close())

const asOperator = () => daybook.operatorScope({ kind: 'operator', actor: systemActor('test'), reason: 'looks at all of it' })
const inTenant = <T>(tenant: string, does: (em: ScopedEntityManager) => Promise<T>) =>
  daybook.transact({ tenant, actor: systemActor('test') }, does)

async function countAll(em: ScopedEntityManager): Promise<number[]> {
  const counts: number[] = []
  for (const { entity } of mix) counts.push(await em.count(entity, {}, { filters: false }))
  return counts
}

test('fills as many rows as the profile says, in every table of the mix, for every tenant, and few tenants have many', async () => {
  expect(tenants).toHaveLength(3)
  expect(told.at(-1)).toEqual({ of: 1_000, written: 1_000, found: 0 })
  for (const [index, tenant] of tenants.entries()) {
    expect(await inTenant(tenant, countAll)).toEqual([...countsOf(sharesOf(profile)[index]!).values()])
  }
  expect(sharesOf(profile)).toEqual([547, 272, 181])
})

test('each row is told by the log, as whoever fills, and folds back into the tables', async () => {
  for (const tenant of tenants) {
    await inTenant(tenant, async em => {
      const problems = await replayProblems(em)
      // The other people tell of themselves in logs of their own.
      expect(problems.filter(({ table }) => table !== 'app_user')).toEqual([])
      const tasks = await em.count(Task, {})
      expect(await em.count(AuditEvent, { type: 'task.created', actorId: 'seeder:volume', reason: 'volume data' })).toBe(tasks)
    })
  }
})

test('again it finds everything and writes nothing, and both runs are recorded', async () => {
  const before = await (await asOperator()).count(AuditEvent)
  expect(await fillVolume(daybook, { profile, batch: 50 })).toEqual({ of: 1_000, written: 0, found: 1_000 })
  expect(await (await asOperator()).count(AuditEvent)).toBe(before)
  const runs = await (await asOperator()).find(SeedRun, {}, { orderBy: { ranAt: 'asc' } })
  expect(runs.map(({ seeder, mode, rows }) => [seeder, mode, rows])).toEqual([
    ['volume', 'small', 1_000],
    ['volume', 'small', 0],
  ])
})

test('a run that was stopped goes on where it stood', async () => {
  await using own = await openTestDaybook()
  const stopped = fillVolume(own, {
    profile,
    batch: 50,
    onProgress: ({ written }) => {
      if (written >= 400) throw new Error('the plug was pulled')
    },
  })
  await expect(stopped).rejects.toThrow('the plug was pulled')
  const { written, found } = await fillVolume(own, { profile, batch: 50 })
  expect(found).toBeGreaterThanOrEqual(400)
  expect(written + found).toBe(1_000)
})

test('with another seed it fills other tenants beside them', async () => {
  await using own = await openTestDaybook()
  const few = profileNamed('small', { tenants: 1, rows: 60 })
  for (const seed of ['a', 'b']) expect(await fillVolume(own, { profile: few, seed })).toMatchObject({ written: 60 })
  const operator = await own.operatorScope({ kind: 'operator', actor: systemActor('test'), reason: 'looks at all of it' })
  expect(await operator.count(Organization)).toBe(2)
})

test('too few rows for so many tenants are refused before anything is written', async () => {
  const filling = fillVolume(daybook, { profile: profileNamed('small', { tenants: 100 }) })
  await expect(filling).rejects.toThrow('1000 rows are too few for 100 tenants: the smallest would have 1, and needs 50.')
})

test('what is filled in keeps the rules that services keep', async () => {
  const events = await inTenant(tenants[0]!, em => em.find(SchedulingEvent, {}, { orderBy: { startsAt: 'asc' } }))
  expect(events.length).toBeGreaterThan(5)
  for (const event of events) expect(event.endsAt.getTime()).toBeGreaterThan(event.startsAt.getTime())
})

describe('progress', () => {
  test('says how much, how fast and how long', () => {
    expect(progressLine({ of: 1_000_000, written: 120_000, found: 0 }, 10_000)).toBe(
      '120,000 of 1,000,000 rows, 12 %, 12,000 a second, 1 min 13 s left',
    )
    expect(progressLine({ of: 1_000, written: 400, found: 600 }, 1_000)).toBe('1,000 of 1,000 rows (600 were there), 100 %, 400 a second')
    expect(progressLine({ of: 1_000, written: 0, found: 0 }, 0)).toBe('0 of 1,000 rows, 0 %, 0 a second')
  })
})
