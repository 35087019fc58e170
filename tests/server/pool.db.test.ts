import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { mixTwoTenants } from './mix-two-tenants.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await openTestDatabase({ poolMax: 4 })
})
afterAll(() => database.daybook.close())

test('200 requests of two tenants at once through a pool of four see their own rows alone', async () => {
  const { requests, connections } = await mixTwoTenants(database.daybook, 200)
  expect(requests).toBe(200)
  expect(connections).toBeLessThanOrEqual(4)
})

test('no transaction and no lock is left behind', async () => {
  const rows = await database.daybook.orm.em
    .getConnection()
    .execute(`select state from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`)
  expect(rows).toEqual([])
})
