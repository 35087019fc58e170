import { expect, test } from 'vitest'
import { userActor } from '../../src/context/index.ts'
import { Task } from '../../src/domain/work/index.ts'
import { openTestHost, signUp } from './test-host.ts'

test('a transaction whose signal comes while it works writes nothing, and says that it was given up', async () => {
  await using on = await openTestHost()
  const { organization, user } = await signUp(on, 'ann@acme.example', 'Acme')
  const scope = { tenant: organization, actor: userActor(user) }
  const gone = new AbortController()
  const adding = on.daybook.transact(
    scope,
    async em => {
      em.create(Task, { title: 'never' })
      await em.flush()
      gone.abort()
    },
    { signal: gone.signal },
  )
  await expect(adding).rejects.toMatchObject({ code: 'transaction.abandoned' })
  await expect(on.daybook.transact(scope, em => em.count(Task), { signal: gone.signal })).rejects.toMatchObject({
    code: 'transaction.abandoned',
  })
  expect(await on.daybook.transact(scope, em => em.count(Task))).toBe(0)
  const kept = new AbortController()
  await on.daybook.transact(scope, async em => void em.create(Task, { title: 'kept' }), { signal: kept.signal })
  kept.abort()
  expect(await on.daybook.transact(scope, em => em.count(Task))).toBe(1)
})
