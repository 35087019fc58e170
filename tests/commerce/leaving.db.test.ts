import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import {
  confirmSubscription,
  importSubscribers,
  NewsletterSubscriber,
  subscribeToNewsletter,
  unsubscribe,
  unsubscribeTokenOf,
} from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { history, revert } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'

const tenant = newId()
let daybook: Daybook

beforeAll(async () => {
  daybook = await openTestDaybook()
})
afterAll(() => daybook.close())

const work = <T>(does: (em: ScopedEntityManager) => Promise<T>) => daybook.transact({ tenant, actor: systemActor('editor') }, does)
const subscriber = (em: ScopedEntityManager) => em.findOneOrFail(NewsletterSubscriber, { email: 'ada@example.com' })
const status = async () => (await work(subscriber)).status

test('whoever has left comes back by confirming anew, and not by a change that is taken back', async () => {
  await work(em => importSubscribers(em, [{ email: 'ada@example.com', source: 'fair' }]))
  await unsubscribe(daybook, await work(async em => unsubscribeTokenOf(em, await subscriber(em))))
  const takeBack = work(async em => {
    const left = (await history(em, await subscriber(em))).at(-1)!
    await revert(em, left.event)
  })
  await expect(takeBack).rejects.toThrow(/confirming/)
  await expect(work(em => em.execute(`update newsletter_subscriber set status = 'ACTIVE'`))).rejects.toThrow(/confirming/)
  expect(await status()).toBe('UNSUBSCRIBED')
  const token = await work(em => subscribeToNewsletter(em, { email: 'ada@example.com', source: 'website' }))
  await confirmSubscription(daybook, token!)
  expect(await status()).toBe('ACTIVE')
})
