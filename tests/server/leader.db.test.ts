import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { JobRun, Organization } from '../../src/entities.ts'
import { type Job, type JobReport, runJob } from '../../src/jobs/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { openDaybook } from '../../src/open-daybook.ts'
import type { Daybook } from '../../src/orm/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { administer } from '../../src/testing/test-server.ts'

let database: TestDatabase
/** Another process, as far as the database can tell. */
let other: Daybook
const tenants = [newId(), newId(), newId()].toSorted()

beforeAll(async () => {
  database = await openTestDatabase()
  const { app, operator } = database.urls!
  other = await openDaybook({ databaseUrl: app, operatorUrl: operator, logQueries: false, environment: 'test' })
  for (const tenant of tenants)
    await other.transact({ tenant, actor: systemActor('clerk') }, async em => {
      em.create(Organization, { id: tenant, name: 'Firm', slug: `firm-${tenant}` })
    })
})
afterAll(async () => {
  await other.close()
  await database.daybook.close()
})

/** Does something once for each tenant, and has something done meanwhile. */
function once(meanwhile: () => Promise<unknown> = () => Promise.resolve()): Job & { readonly seen: string[] } {
  const seen: string[] = []
  return {
    name: 'led',
    everyMs: 1_000,
    seen,
    async forTenant({ boundScope: scope }) {
      if (scope?.kind !== 'tenant' || seen.includes(scope.tenantId)) return 0
      seen.push(scope.tenantId)
      await meanwhile()
      return 1
    },
  }
}

const cutTheLeader = `select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid)
  where locktype = 'advisory' and usename = 'daybook_operator' and datname = current_database()`

test('a leader that loses its connection ends after the step at hand, and the next begins without it', async () => {
  const next = once()
  let report: JobReport | undefined
  const losing = once(async () => {
    await administer(database.urls!.administrator, cutTheLeader)
    report = await runJob(other, next)
  })
  expect(await runJob(database.daybook, losing)).toEqual({ job: 'led', status: 'STOPPED', processed: 1, failed: 0 })
  expect(losing.seen).toEqual(tenants.slice(0, 1))
  expect(report).toMatchObject({ status: 'OK', processed: 3 })
  const scope = { kind: 'operator', actor: systemActor('test'), reason: 'a test' } as const
  const runs = await other.transact(scope, em => em.find(JobRun, { tenantId: null }, { orderBy: { startedAt: 'asc', id: 'asc' } }))
  expect(runs).toMatchObject([
    { status: 'FAILED', error: 'The process that ran it ended before it did.' },
    { status: 'OK', processed: 3 },
  ])
})
