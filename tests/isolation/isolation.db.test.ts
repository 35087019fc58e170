import { afterAll, describe, expect, test } from 'vitest'
import { isolationCases, openTestDaybook, related, tenantEntities } from '../../src/testing/index.ts'

const daybook = await openTestDaybook()
const examples = {
  'Invitation.email': () => `${crypto.randomUUID()}@example.com`,
  'Task.pipeline': () => related,
  'Task.stage': () => related,
  'Task.stageEnteredAt': () => new Date('2026-01-05T08:00:00Z'),
}
const entities = tenantEntities(daybook)

afterAll(() => daybook.close())

test('the suite covers every entity that belongs to a tenant', () => {
  expect(entities.length).toBeGreaterThanOrEqual(7)
})

for (const meta of entities) {
  const cases = await isolationCases(daybook, meta, examples)
  describe(meta.className, () => {
    test.each(cases)('$operation keeps to its own tenant', async ({ run }) => {
      await run()
    })
  })
}
