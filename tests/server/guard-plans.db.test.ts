import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { Message } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { administer } from '../../src/testing/test-server.ts'
import { nodesOf, type Watched, watchPlans } from './watched-plans.ts'

let database: TestDatabase
let watched: Watched
const tenant = newId()

/** Many prospects, of which the planner knows nothing yet, as after the first minutes of an import. */
beforeAll(async () => {
  database = await openTestDatabase()
  await administer(
    database.urls!.administrator,
    `alter table prospect set (autovacuum_enabled = off);
     set session_replication_role = replica;
     insert into prospect (id, tenant_id, email) select md5('prospect' || n)::uuid, '${tenant}', n || '@example.com' from generate_series(1, 20000) n`,
  )
  watched = await watchPlans(database.urls!)
})
afterAll(async () => {
  await watched[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

test('a guard looks a reference up by its id, also before the table has statistics', async () => {
  const ids = await administer(database.urls!.administrator, 'select id from prospect limit 200')
  await watched.daybook.transact({ tenant, actor: systemActor('import') }, em =>
    em.insertMany(
      Message,
      ids.map(({ id }) => ({ id: newId(), tenantId: tenant, channel: 'EMAIL' as const, body: 'Hello', prospect: id as string })),
    ),
  )
  const guards = watched.taken().filter(({ query }) => query.includes('from inserted n') && query.includes('"prospect"'))
  expect(guards).toHaveLength(1)
  const looks = nodesOf(guards[0]!.plan).filter(node => node['Relation Name'] === 'prospect')
  expect(looks.map(node => node['Index Name'])).toEqual(['prospect_pkey'])
})
