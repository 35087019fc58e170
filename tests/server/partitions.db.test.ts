import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { Organization } from '../../src/entities.ts'
import { jobs, runJob, type RunOptions } from '../../src/jobs/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'

let database: TestDatabase
let backup: pg.Client
let witness: pg.Client

beforeAll(async () => {
  database = await openTestDatabase()
  ;[backup, witness] = [new pg.Client(database.urls!.administrator), new pg.Client(database.urls!.administrator)]
  await Promise.all([backup.connect(), witness.connect()])
})
afterAll(async () => {
  await Promise.all([backup.end(), witness.end()])
  await database.daybook.close()
})

const prepare = (options?: RunOptions) =>
  runJob(
    database.daybook,
    jobs.find(({ name }) => name === 'prepare-audit-partitions')!,
    options,
  )
const waitsForTheLog = async () => {
  const { rows } = await witness.query(`select from pg_locks where relation = 'audit_event'::regclass and not granted`)
  return rows.length > 0
}

test('while a backup reads the log, nobody who writes waits for the next partition', async () => {
  const { rows } = await witness.query<{ name: string }>(
    `select max(relname::text) as name from pg_class where relname ~ '^audit_event_\\d{4}_\\d{2}$'`,
  )
  await witness.query(`drop table ${rows[0]!.name}`)
  await backup.query('begin')
  await backup.query('select count(*) from audit_event')
  const prepared = prepare()
  await expect.poll(waitsForTheLog, { interval: 10 }).toBe(true)
  const id = newId()
  const startedAt = performance.now()
  await database.daybook.transact({ tenant: id, actor: systemActor('clerk') }, async em => {
    em.create(Organization, { id, name: 'Writing', slug: `firm-${id}` })
  })
  // Others' locks are waited for ten seconds.
  expect(performance.now() - startedAt).toBeLessThan(6_000)
  expect(await prepared).toMatchObject({ status: 'FAILED', error: expect.stringContaining('lock timeout') })
  await backup.query('rollback')
  expect(await prepare({ dryRun: true })).toMatchObject({ status: 'OK', processed: 1 })
  expect(await prepare()).toMatchObject({ status: 'OK', processed: 1 })
})
