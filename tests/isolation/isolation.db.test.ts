import { afterAll, describe, expect, test } from 'vitest'
import { isolationCases, openTestDaybook, related, tenantEntities } from '../../src/testing/index.ts'

const daybook = await openTestDaybook()
let moments = Date.UTC(2026, 0, 5)
const examples = {
  'Subscription.currentPeriodEnd': () => new Date('2026-02-05T08:00:00Z'),
  'Subscription.status': () => 'CANCELED',
  'Subscription.canceledAt': () => new Date('2026-01-06T08:00:00Z'),
  'QuotaCounter.periodStart': () => new Date((moments += 1_000)),
  'Invitation.email': () => `${crypto.randomUUID()}@example.com`,
  'Task.pipeline': () => related,
  'Task.stage': () => related,
  'Task.stageEnteredAt': () => new Date('2026-01-05T08:00:00Z'),
}
const entities = tenantEntities(daybook)

afterAll(() => daybook.close())

test('the suite covers every entity that belongs to a tenant', () => {
  expect(entities.length).toBeGreaterThanOrEqual(23)
})

for (const meta of entities) {
  const cases = await isolationCases(daybook, meta, examples)
  describe(meta.className, () => {
    test.each(cases)('$operation keeps to its own tenant', async ({ run }) => {
      await run()
    })
  })
}
