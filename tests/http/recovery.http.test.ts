import { LockMode } from '@mikro-orm/core'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemActor, userActor } from '../../src/context/index.ts'
import { User } from '../../src/domain/identity/index.ts'
import { Organization } from '../../src/domain/organizations/index.ts'
import type { Mail } from '../../src/http/index.ts'
import { Caller, cookieIn, openTestHost, password, roleIdOf, type SignedUp, signUp, type TestHost, tokenFor } from './test-host.ts'

let on: TestHost
let ann: SignedUp

beforeAll(async () => {
  on = await openTestHost()
  ann = await signUp(on, 'ann@acme.example', 'Acme')
})
afterAll(() => on[Symbol.asyncDispose]())

const other = 'another long and private sentence'

/** Nobody waits for a mail with a token to be written. */
async function resetTokenFor(email: string): Promise<string> {
  const isReset = (mail: Mail) => mail.to === email && mail.text.includes('/auth/reset-password')
  await expect.poll(() => on.mails.some(isReset)).toBe(true)
  return tokenFor(on.mails.filter(isReset), email)
}

test('a forgotten password is replaced by mail, which ends every session and works once', async () => {
  const cat = await signUp(on, 'cat@curio.example', 'Curio')
  expect((await new Caller(on).post('/auth/forgot-password', { email: 'cat@curio.example' })).statusCode).toBe(202)
  const token = await resetTokenFor('cat@curio.example')
  expect((await new Caller(on).post('/auth/reset-password', { token, password: other })).statusCode).toBe(204)
  expect((await cat.caller.get('/me')).statusCode).toBe(401)
  expect((await new Caller(on).post('/auth/reset-password', { token, password: other })).json().code).toBe('http.token_refused')
  expect((await cat.caller.signIn('cat@curio.example')).json().code).toBe('http.sign_in_refused')
  expect((await cat.caller.signIn('cat@curio.example', other)).statusCode).toBe(200)
})

test('asking for a new password says the same whether or not the address is known, and mails only to a known one', async () => {
  const before = on.mails.length
  const unknown = await new Caller(on).post('/auth/forgot-password', { email: 'nobody@nowhere.example' })
  expect(on.mails).toHaveLength(before)
  const known = await new Caller(on).post('/auth/forgot-password', { email: 'ann@acme.example' })
  await resetTokenFor('ann@acme.example')
  expect(on.mails).toHaveLength(before + 1)
  expect([unknown.statusCode, unknown.body]).toEqual([known.statusCode, known.body])
})

test('asking for a new password is answered before it is found out whether the address is known', async () => {
  const dora = await signUp(on, 'dora@dune.example', 'Dune')
  const held = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  // Whatever would be written for her has to wait; the embedded database lets everything wait.
  const holding = on.daybook.transact({ kind: 'identity', actor: userActor(dora.user) }, async em => {
    await em.findOneOrFail(User, dora.user, { lockMode: LockMode.PESSIMISTIC_WRITE })
    begun.resolve()
    await held.promise
  })
  await begun.promise
  const asked = new Caller(on).post('/auth/forgot-password', { email: 'dora@dune.example' })
  const first = await Promise.race([asked.then(({ statusCode }) => statusCode), setTimeout(3_000, 'waits')])
  held.resolve()
  await holding
  expect(first).toBe(202)
  await resetTokenFor('dora@dune.example')
})

test('an unknown address and a wrong password get the same answer', async () => {
  const answers = await Promise.all([
    new Caller(on).signIn('nobody@nowhere.example'),
    new Caller(on).signIn('ann@acme.example', 'not the password at all'),
  ])
  const [unknown, wrong] = answers.map(answer => ({ ...answer.json(), requestId: '' }))
  expect(unknown).toEqual(wrong)
  expect(unknown).toMatchObject({ status: 401, code: 'http.sign_in_refused' })
})

test('changing the password keeps the browser at hand signed in and no other one', async () => {
  const dan = await signUp(on, 'dan@delta.example', 'Delta')
  const elsewhere = new Caller(on)
  await elsewhere.signIn('dan@delta.example')
  expect((await dan.caller.post('/auth/change-password', { current: 'wrong', password: other })).json().code).toBe('http.password_wrong')
  const changed = await dan.caller.post('/auth/change-password', { current: password, password: other })
  expect(changed.statusCode).toBe(204)
  expect((await elsewhere.get('/me')).statusCode).toBe(401)
  const here = (await new Caller(on, { cookie: cookieIn(changed) }).get('/me')).json()
  expect(here.activeOrganization).toBe(dan.organization)
})

test('whoever signs in works in an organization that is served', async () => {
  const fay = await signUp(on, 'fay@first.example', 'A first one')
  const gil = await signUp(on, 'gil@second.example', 'A second one')
  await gil.caller.post('/organizations/current/invitations', { email: 'fay@first.example', role: await roleIdOf(gil.caller, 'MEMBER') })
  await fay.caller.post('/invitations/accept', { token: tokenFor(on.mails, 'fay@first.example') })
  expect((await fay.caller.signIn('fay@first.example')).json().activeOrganization).toBe(fay.organization)
  const scope = { tenant: fay.organization, actor: systemActor('test') }
  await on.daybook.transact(scope, async em => (await em.findOneOrFail(Organization, fay.organization)).suspend())
  expect((await fay.caller.signIn('fay@first.example')).json().activeOrganization).toBe(gil.organization)
  expect((await fay.caller.get('/organizations/current/tasks')).statusCode).toBe(200)
})

test('signing out everywhere ends every session of the person and nobody else’s', async () => {
  const eve = await signUp(on, 'eve@echo.example', 'Echo')
  const elsewhere = new Caller(on)
  await elsewhere.signIn('eve@echo.example')
  expect((await eve.caller.post('/auth/sign-out-everywhere')).json()).toEqual({ sessions: 2 })
  expect([(await elsewhere.get('/me')).statusCode, (await eve.caller.get('/me')).statusCode]).toEqual([401, 401])
  expect((await ann.caller.get('/me')).statusCode).toBe(200)
})

test('a new verification mail makes the older token worthless', async () => {
  const older = tokenFor(on.mails, 'ann@acme.example')
  expect((await ann.caller.post('/auth/verify-email/request')).statusCode).toBe(202)
  expect((await new Caller(on).post('/auth/verify-email', { token: older })).json().code).toBe('http.token_refused')
  const token = tokenFor(on.mails, 'ann@acme.example')
  expect((await new Caller(on).post('/auth/verify-email', { token })).statusCode).toBe(200)
  expect((await new Caller(on).post('/auth/verify-email', { token })).statusCode).toBe(410)
})

test('somebody new joins with a password, and the mail has proved the address', async () => {
  await ann.caller.post('/organizations/current/invitations', { email: 'fay@fox.example', role: await roleIdOf(ann.caller, 'VIEWER') })
  const token = tokenFor(on.mails, 'fay@fox.example')
  expect((await new Caller(on).post('/invitations/accept', { token })).json().code).toBe('http.unauthenticated')
  const joined = await new Caller(on).post('/invitations/accept', { token, password, name: 'Fay' })
  expect(joined.json()).toMatchObject({ organization: ann.organization, user: { name: 'Fay', emailVerifiedAt: expect.any(String) } })
  expect((await new Caller(on).post('/invitations/accept', { token, password })).json().code).toBe('access.invitation_invalid')
  const fay = new Caller(on)
  await fay.signIn('fay@fox.example')
  expect((await fay.post('/organizations/current/invitations', { email: 'x@x.example', role: ann.organization })).json().code).toBe(
    'access.denied',
  )
})

test('an invitation is withdrawn by who sent it and rejected by who got it', async () => {
  const role = await roleIdOf(ann.caller, 'VIEWER')
  const { id } = (await ann.caller.post('/organizations/current/invitations', { email: 'gus@gold.example', role })).json()
  expect((await ann.caller.delete(`/organizations/current/invitations/${id}`)).statusCode).toBe(204)
  expect((await new Caller(on).post('/invitations/reject', { token: tokenFor(on.mails, 'gus@gold.example') })).statusCode).toBe(410)
  await ann.caller.post('/organizations/current/invitations', { email: 'gus@gold.example', role })
  expect((await new Caller(on).post('/invitations/reject', { token: tokenFor(on.mails, 'gus@gold.example') })).statusCode).toBe(204)
  const all = (await ann.caller.get('/organizations/current/invitations?limit=200')).json().items as { email: string; status: string }[]
  expect(all.filter(({ email }) => email === 'gus@gold.example').map(({ status }) => status)).toEqual(['CANCELED', 'REJECTED'])
})
