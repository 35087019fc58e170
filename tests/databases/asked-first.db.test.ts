import { beforeAll, afterAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { Task } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'

/** What a transaction is to ask first is asked, whatever its work begins with, and if it fails nothing else counts. */
let daybook: Daybook

beforeAll(async () => {
  daybook = await openTestDaybook()
})
afterAll(() => daybook.close())

const first = { sql: 'select 1 / ?', params: [0] }
const failure = { code: '22012' }

const works: readonly [string, (em: ScopedEntityManager) => Promise<unknown>][] = [
  ['nothing', () => Promise.resolve()],
  ['a refusal', () => Promise.reject(new Error('not today'))],
  ['a read', em => em.count(Task)],
  ['a last flush', async em => em.create(Task, { title: 'never' })],
  ['a savepoint', em => em.transactional(async inner => inner.create(Task, { title: 'never' }))],
  [
    'a query of Kysely’s',
    em =>
      em
        .getKysely()
        .selectNoFrom(eb => eb.val(1).as('one'))
        .execute(),
  ],
  [
    'a stream',
    async em => {
      for await (const task of em.stream(Task, {})) throw new Error(`There is ${task.id}.`)
    },
  ],
]

test.each(works)('%s', async (_what, work) => {
  const scope = { tenant: newId(), actor: systemActor('test') }
  await expect(daybook.transact(scope, work, { first })).rejects.toMatchObject(failure)
  expect(await daybook.transact(scope, em => em.count(Task))).toBe(0)
})
