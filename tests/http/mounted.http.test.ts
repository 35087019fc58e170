import cookie from '@fastify/cookie'
import Fastify from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { userActor } from '../../src/context/index.ts'
import { Invitation } from '../../src/domain/access/index.ts'
import { daybookHost, daybookPlugin, type Mail } from '../../src/http/index.ts'
import type { Daybook } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { Caller, cookieIn, password, roleIdOf } from './test-host.ts'

let daybook: Daybook

beforeAll(async () => {
  daybook = await openTestDaybook()
})
afterAll(() => daybook.close())

test('the plugin works below a prefix of an application, whose own routes stay as they were', async () => {
  const app = Fastify()
  await app.register(cookie)
  app.setErrorHandler((_error, _request, reply) => reply.code(418).send('mine'))
  app.post('/text', request => ({ got: request.body }))
  app.get('/fails', () => {
    throw new Error('mine')
  })
  await app.register(daybookPlugin, { daybook, prefix: '/daybook', rateLimits: false })

  const caller = new Caller({ host: app })
  const body = { email: 'ann@acme.example', password, organization: { name: 'Acme' } }
  expect((await caller.post('/daybook/auth/sign-up', body)).statusCode).toBe(201)
  const session = cookieIn(await caller.post('/daybook/auth/sign-in', { email: 'ann@acme.example', password }))
  expect((await new Caller({ host: app }, { cookie: session }).get('/daybook/organizations/current/members')).statusCode).toBe(200)
  expect((await caller.get('/daybook/me')).headers['content-type']).toContain('application/problem+json')
  expect((await caller.call('PUT', '/daybook/me')).statusCode).toBe(405)
  expect((await caller.post('/daybook/auth/sign-in', { email: 'x'.repeat(70_000) })).statusCode).toBe(413)

  const text = await caller.call('POST', '/text', { payload: 'hello', headers: { 'content-type': 'text/plain' } })
  expect([text.json(), text.headers['content-security-policy']]).toEqual([{ got: 'hello' }, undefined])
  const failed = await caller.get('/fails')
  expect([failed.statusCode, failed.body]).toEqual([418, 'mine'])
  await app.close()
})

test('an invitation that is refused mails nobody, and one that is made mails once', async () => {
  const mails: Mail[] = []
  const host = daybookHost(daybook, { rateLimits: false, mailer: { send: async mail => void mails.push(mail) } })
  const bea = new Caller({ host })
  const made = await bea.post('/auth/sign-up', { email: 'bea@bee.example', password, organization: { name: 'Bee' } })
  const { user, organization } = made.json()
  await bea.signIn('bea@bee.example')
  const role = await roleIdOf(bea, 'VIEWER')
  mails.length = 0
  expect((await bea.post('/organizations/current/invitations', { email: 'bea@bee.example', role })).json().code).toBe(
    'access.already_member',
  )
  expect(mails).toEqual([])
  expect((await bea.post('/organizations/current/invitations', { email: 'new@new.example', role })).statusCode).toBe(201)
  expect(mails.map(({ to }) => to)).toEqual(['new@new.example'])
  const em = daybook.scope({ tenant: organization.id, actor: userActor(user.id) })
  expect(await em.count(Invitation)).toBe(1)
  await host.close()
})

test('a mail that can’t be sent fails no request, and closing waits for those under way', async () => {
  let sent = 0
  const slow = daybookHost(daybook, {
    rateLimits: false,
    mailer: { send: () => new Promise(resolve => setTimeout(() => resolve(void sent++), 300)) },
  })
  const broken = daybookHost(daybook, { rateLimits: false, mailer: { send: () => Promise.reject(new Error('no route to host')) } })
  for (const host of [slow, broken]) {
    expect((await new Caller({ host }).post('/auth/forgot-password', { email: 'ann@acme.example' })).statusCode).toBe(202)
  }
  expect(sent).toBe(0)
  await Promise.all([slow.close(), broken.close()])
  expect(sent).toBe(1)
})
