import { afterAll, describe, expect, test } from 'vitest'
import { isolationCases, openTestDaybook, tenantEntities } from '../../src/testing/index.ts'

const daybook = await openTestDaybook()
const emailsAreLowerCase = { 'Invitation.email': () => `${crypto.randomUUID()}@example.com` }
const entities = tenantEntities(daybook)

afterAll(() => daybook.close())

test('the suite covers every entity that belongs to a tenant', () => {
  expect(entities.length).toBeGreaterThanOrEqual(7)
})

for (const meta of entities) {
  const cases = await isolationCases(daybook, meta, emailsAreLowerCase)
  describe(meta.className, () => {
    test.each(cases)('$operation keeps to its own tenant', async ({ run }) => {
      await run()
    })
  })
}
