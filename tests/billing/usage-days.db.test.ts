import { expect, test } from 'vitest'
import { UsageDay, UsageEvent, useQuota } from '../../src/entities.ts'
import { useFirm } from '../setup/use-firm.ts'

const { firm, work } = useFirm()
const dayOf = (date: Date) => new Date(date.toISOString().slice(0, 10))
const counts = () => work(em => em.find(UsageDay, {}, { orderBy: { day: 'asc', metric: 'asc' } }))

test('a day’s sum is counted with each use, and a use that is refused or told again adds nothing', async () => {
  const use = (requestId: string, quantity: number, when: string) =>
    work(em => useQuota(em, { metric: 'TOKENS', quantity, requestId, at: new Date(when) }))
  await use('evening', 5, '2026-11-20T23:59:59.999Z')
  await use('night', 7, '2026-11-21T00:00:00Z')
  await use('night', 7, '2026-11-21T00:00:00Z')
  await use('noon', 1, '2026-11-21T12:00:00Z')
  await expect(use('huge', 2 ** 31 - 1, '2026-11-21T13:00:00Z')).rejects.toMatchObject({ code: 'billing.quota_exceeded' })
  expect(await counts()).toMatchObject([
    { day: new Date('2026-11-20'), metric: 'TOKENS', quantity: 5, events: 1 },
    { day: new Date('2026-11-21'), metric: 'TOKENS', quantity: 8, events: 2 },
  ])
})

test('a day’s sum begins once, however many count its first use at once', async () => {
  for (let day = 1; day <= 28; day++) {
    const use = (request: number) =>
      work(em =>
        em.execute(
          `insert into usage_event (id, tenant_id, metric, quantity, request_id, occurred_at)
             values (gen_random_uuid(), ?, 'FIXES', 1, ?, timestamptz '2026-10-01' + ? * interval '1 day')`,
          [firm.tenant, `${day}-${request}`, day],
        ),
      )
    await Promise.all([1, 2, 3, 4].map(use))
  }
  expect((await counts()).map(({ events }) => Number(events))).toEqual(Array.from({ length: 28 }, () => 4))
})

test('a day’s sum is what the events add up to, by whatever way and in whatever order they come', async () => {
  const fill = (from: number) =>
    work(em =>
      em.execute(
        `insert into usage_event (id, tenant_id, metric, quantity, request_id, occurred_at)
           select gen_random_uuid(), ?, (array['FIXES', 'AUDITS', 'TOKENS'])[1 + n % 3], 1 + n % 5, n::text, timestamptz '2026-11-01' + n * interval '1 hour'
             from generate_series(?::int, ?::int) n order by random()`,
        [firm.tenant, from, from + 99],
      ),
    )
  await Promise.all([0, 100, 200, 300].map(fill))
  const events = await work(em => em.find(UsageEvent, {}))
  const expected = Map.groupBy(events, ({ metric, occurredAt }) => `${dayOf(occurredAt).toISOString()} ${metric}`)
  const counted = await counts()
  expect(counted).toHaveLength(expected.size)
  expect(counted.reduce((sum, { events: count }) => sum + Number(count), 0)).toBe(400)
  for (const { day, metric, quantity } of counted) {
    const ofDay = expected.get(`${day.toISOString()} ${metric}`)!
    expect(Number(quantity)).toBe(ofDay.reduce((sum, event) => sum + event.quantity, 0))
  }
})
