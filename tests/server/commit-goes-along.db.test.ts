import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { DaybookServerDriver } from '../../src/orm/drivers.ts'
import { type ScopedEntityManager, TransactionClient } from '../../src/orm/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { entities, Letter, migrations, Note, Tag } from '../audit/model.ts'

/** What a transaction's last message to the server was: the COMMIT with the events, or the COMMIT alone, after an answer. */
let database: TestDatabase
let witness: pg.Client
let tenant: string

beforeAll(async () => {
  database = await openTestDatabase({ entities, migrations, poolMax: 1 })
  witness = new pg.Client({ connectionString: database.urls!.administrator })
  await witness.connect()
})
afterAll(async () => {
  await witness.end()
  await database.daybook.close()
})
beforeEach(() => {
  tenant = newId()
})

const input = () => ({ tenant, actor: systemActor('test') })
const transact = (work: (em: ScopedEntityManager) => Promise<void>) => database.daybook.transact(input(), work)
const flush = async (work: (em: ScopedEntityManager) => Promise<void>) => {
  const em = database.daybook.scope(input())
  await work(em)
  await em.flush()
}
const lastMessage = async () => {
  const { rows } = await witness.query<{ query: string }>(
    `select query from pg_stat_activity where datname = current_database() and usename = 'daybook_app'`,
  )
  expect(rows).toHaveLength(1)
  return rows[0]!.query
}
const write = async (em: ScopedEntityManager) => void em.create(Note, { title: 'a note' })
const together = /^select daybook_append_alike\(.*\); commit$/s
const alone = 'commit'

test.each([
  ['a flush of one row', () => flush(write)],
  [
    'a flush of three batches',
    () =>
      flush(async em => {
        for (let made = 0; made < 601; made++) await write(em)
      }),
  ],
  ['a transaction whose last flush only inserts', () => transact(write)],
])('%s says all at once', async (_what, work) => {
  await work()
  expect(await lastMessage()).toMatch(together)
})

test('beside other transactions a few rows and their events are one message; alone, and where they are many, the rows leave first', async () => {
  const pool = await (database.daybook.orm.driver as DaybookServerDriver).getConnection().getNativeClient()
  const client = await pool.connect()
  client.release()
  const { stream } = (client as unknown as TransactionClient).connection
  const written = [vi.spyOn(stream, '_write'), vi.spyOn(stream, '_writev')]
  onTestFinished(() => written.forEach(each => each.mockRestore()))
  const packetsOf = async (work: () => Promise<unknown>) => {
    written.forEach(each => each.mockClear())
    await work()
    return written.map(({ mock }) => mock.calls.length)
  }
  const em = database.daybook.scope(input())
  const create = (rows: number) => () => {
    for (let made = 0; made < rows; made++) em.create(Tag, { label: 'a tag' })
    return em.flush()
  }
  expect(await packetsOf(create(1))).toEqual([2, 0])

  const other = new TransactionClient({ connectionString: database.urls!.app })
  await other.connect()
  onTestFinished(() => other.end())
  await other.query('begin')
  expect(await packetsOf(create(1))).toEqual([1, 0])
  expect(String(written[0]!.mock.calls[0]![0])).toMatch(/begin; .*insert into .*; select daybook_append_alike\(.*\); commit\0$/s)
  expect(await packetsOf(create(100))).toEqual([2, 0])
  const tag = em.create(Tag, { label: 'a tag' })
  await em.flush()
  tag.label = 'changed'
  // The statement with its event in one, and COMMIT once it is known that the row was there.
  expect(await packetsOf(() => em.flush())).toEqual([1, 1])
  await other.query('rollback')
  expect(await packetsOf(create(1))).toEqual([2, 0])
})

test('rows of two classes are two statements, and the second is waited for', async () => {
  await flush(async em => {
    await write(em)
    em.create(Letter, { subject: 'a letter' } as never)
  })
  expect(await lastMessage()).toBe(alone)
})

test('a row that is changed may turn out to be gone, so its statement is waited for', async () => {
  const em = database.daybook.scope(input())
  const note = em.create(Note, { title: 'a note' })
  await em.flush()
  note.title = 'changed'
  await em.flush()
  expect(await lastMessage()).toBe(alone)
})
