import { afterAll, describe, expect, test } from 'vitest'
import { isolationCases, openTestDaybook, tenantEntities } from '../../src/testing/index.ts'
import { tablesOfTenants } from './tables-of-tenants.ts'

const daybook = await openTestDaybook()
const entities = tenantEntities(daybook)

afterAll(() => daybook.close())

test('the suite covers every table whose rows belong to a tenant', async () => {
  const tables = await tablesOfTenants(daybook)
  expect(entities.map(({ tableName }) => tableName).toSorted()).toEqual(tables.map(({ name }) => name))
})

for (const meta of entities) {
  const cases = await isolationCases(daybook, meta)
  describe(meta.className, () => {
    test.each(cases)('$operation keeps to its own tenant', async ({ run }) => {
      await run()
    })
  })
}
