import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { userActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook } from '../../src/orm/index.ts'
import { history, revert } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { entities, migrations, Note } from '../audit/model.ts'

/** Needs two connections: somebody is writing to a row while a change of it is taken back. */
let daybook: Daybook
beforeAll(async () => {
  daybook = await openTestDaybook({ entities, migrations })
})
afterAll(() => daybook.close())

test('what is being written while it is reverted isn’t lost', async () => {
  const scope = { tenant: newId(), actor: userActor(newId()) }
  const em = daybook.scope(scope)
  const note = em.create(Note, { title: 'first' })
  await em.flush()
  note.title = 'second'
  await em.flush()
  const updated = (await history(daybook.scope(scope), note)).at(-1)!.event
  const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const writing = daybook.transact(scope, async own => {
    await own.execute(`update note set title = 'theirs' where id = ?`, [note.id])
    begun.resolve()
    await end.promise
  })
  await begun.promise
  const reverting = expect(revert(daybook.scope(scope), updated)).rejects.toMatchObject({ details: { properties: ['title'] } })
  await sleep(300)
  end.resolve()
  await Promise.all([writing, reverting])
  expect(await daybook.scope(scope).findOneOrFail(Note, note.id)).toMatchObject({ title: 'theirs' })
})
