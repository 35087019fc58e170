import { afterAll, describe, expect, test } from 'vitest'
import { isolationCases, openTestDaybook, tenantEntities } from '../../src/testing/index.ts'

const daybook = await openTestDaybook()
const entities = tenantEntities(daybook)

afterAll(() => daybook.close())

test('the suite covers every entity that belongs to a tenant', () => {
  expect(entities.length).toBeGreaterThanOrEqual(23)
})

for (const meta of entities) {
  const cases = await isolationCases(daybook, meta)
  describe(meta.className, () => {
    test.each(cases)('$operation keeps to its own tenant', async ({ run }) => {
      await run()
    })
  })
}
