import { afterAll, beforeAll, expect, test } from 'vitest'
import { erased, erasePerson, sealPersonal } from '../../src/audit/index.ts'
import { userActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { history } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { entities, migrations, Note } from '../audit/model.ts'

/** Needs two connections: somebody writes of a person by raw SQL while another transaction erases that person. */
let daybook: Daybook
beforeAll(async () => {
  daybook = await openTestDaybook({ entities, migrations })
})
afterAll(() => daybook.close())

const scope = { tenant: newId(), actor: userActor(newId()) }
const transact = <T>(work: (em: ScopedEntityManager) => Promise<T>) => daybook.transact(scope, work)

test.each([
  ['of whom the unit of work told', (em: ScopedEntityManager, id: string) => em.create(Note, { id, title: 'x', author: 'Ada' })],
  [
    'of whom only the sentinel told',
    (em: ScopedEntityManager, id: string) =>
      em.execute(`insert into note (id, tenant_id, title, author, labels, data) values (?, ?, 'x', 'Ada', '{}', '{}')`, [id, scope.tenant]),
  ],
])('what is written of somebody %s while they are erased is told to nobody', async (_whom, write) => {
  const id = newId()
  await transact(async em => void (await write(em, id)))
  const [begun, erasure] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const writing = transact(async em => {
    await em.execute(`update note set author = 'Ada the second' where id = ?`, [id])
    begun.resolve()
    await erasure.promise
  })
  await begun.promise
  await transact(em => erasePerson(em, id))
  erasure.resolve()
  await writing
  const authors = async () =>
    (await history(daybook.scope(scope), [Note, id])).flatMap(({ changes }) => changes.filter(({ property }) => property === 'author'))
  const nothing = [
    { property: 'author', after: erased },
    { property: 'author', before: erased, after: erased },
  ]
  expect(await authors()).toEqual(nothing)
  await transact(em => sealPersonal(em))
  expect(JSON.stringify(await transact(em => em.execute('select value from audit_personal')))).not.toContain('Ada')
  expect(await authors()).toEqual(nothing)
})
