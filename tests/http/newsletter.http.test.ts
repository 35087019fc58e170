import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { importSubscribers, NewsletterSubscriber, unsubscribeTokenOf } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { openTestHost, type TestHost } from './test-host.ts'

let server: TestHost
const tenant = newId()
const work = <T>(does: (em: ScopedEntityManager) => Promise<T>) => server.daybook.transact({ tenant, actor: systemActor('editor') }, does)
beforeAll(async () => {
  server = await openTestHost()
})
afterAll(() => server[Symbol.asyncDispose]())

test('one click in a mail program ends a subscription, from anywhere, and twice is once', async () => {
  await work(em => importSubscribers(em, [{ email: 'ada@example.com', source: 'fair' }]))
  const token = await work(async em => unsubscribeTokenOf(em, await em.findOneOrFail(NewsletterSubscriber, {})))
  const url = `/newsletter/unsubscribe?token=${token}`
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    origin: 'https://mail.example.com',
    'sec-fetch-site': 'cross-site',
  }
  for (let click = 0; click < 2; click++) {
    const { statusCode } = await server.host.inject({ method: 'POST', url, headers, payload: 'List-Unsubscribe=One-Click' })
    expect(statusCode).toBe(204)
  }
  expect(await work(em => em.findOneOrFail(NewsletterSubscriber, {}))).toMatchObject({ status: 'UNSUBSCRIBED' })
  const { statusCode } = await server.host.inject({ method: 'POST', url })
  expect(statusCode).toBe(204)
  expect(server.log.join('')).not.toContain(token)
})

test('a link that is only looked at ends nothing, and a wrong token says so', async () => {
  const wrong = `/newsletter/unsubscribe?token=${'A'.repeat(22)}.${'B'.repeat(43)}`
  expect((await server.host.inject({ method: 'GET', url: wrong })).statusCode).toBe(405)
  const { statusCode, body } = await server.host.inject({ method: 'POST', url: wrong })
  expect([statusCode, (JSON.parse(body) as { code: string }).code]).toEqual([410, 'commerce.subscription_token'])
})

test('what one click may do from anywhere, nothing else may', async () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' }
  const { statusCode } = await server.host.inject({ method: 'POST', url: '/auth/sign-in', headers, payload: 'email=a' })
  expect(statusCode).toBe(403)
})
