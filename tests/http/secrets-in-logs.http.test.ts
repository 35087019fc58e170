import { afterAll, beforeAll, expect, test } from 'vitest'
import { userActor } from '../../src/context/index.ts'
import { PasswordCredential, Session } from '../../src/domain/identity/index.ts'
import { digest } from '../../src/kernel/secret.ts'
import { Caller, cookieIn, openTestHost, password, roleIdOf, type SignedUp, signUp, type TestHost, tokenFor } from './test-host.ts'

let on: TestHost
let ann: SignedUp

beforeAll(async () => {
  on = await openTestHost()
  ann = await signUp(on, 'ann@acme.example', 'Acme')
})
afterAll(() => on[Symbol.asyncDispose]())

test('no password, token, key or hash reaches the log or an answer, however chatty the log is and however badly things go', async () => {
  const answers: string[] = []
  const keep = async (answer: ReturnType<Caller['get']>) => {
    answers.push((await answer).body)
    return answer
  }
  const signedIn = await keep(new Caller(on).signIn('ann@acme.example'))
  const session = cookieIn(signedIn).split('=')[1]!
  const verification = tokenFor(on.mails, 'ann@acme.example')
  await keep(new Caller(on).post('/auth/forgot-password', { email: 'ann@acme.example' }))
  await expect.poll(() => on.mails.at(-1)?.subject).toContain('password')
  const reset = tokenFor(on.mails, 'ann@acme.example')
  await keep(ann.caller.post('/organizations/current/invitations', { email: 'bob@b.example', role: await roleIdOf(ann.caller, 'VIEWER') }))
  const invitation = tokenFor(on.mails, 'bob@b.example')
  const issued = await ann.caller.post('/organizations/current/api-keys', { name: 'k', environment: 'LIVE', scopes: ['role:read'] })
  const { secret } = issued.json()
  await keep(new Caller(on, { authorization: `Bearer ${secret}` }).get(`/organizations/current/roles?after=${secret}`))
  await keep(new Caller(on, { authorization: `Bearer ${secret}x` }).get('/me'))
  for (const route of ['sign-in', 'sign-up', 'reset-password', 'verify-email']) {
    await keep(
      new Caller(on).post(`/auth/${route}?token=${reset}`, { email: 'ann@acme.example', password, token: reset, nope: invitation }),
    )
  }
  await keep(new Caller(on).signIn('ann@acme.example', 'a guess that is wrong'))
  const hashes = await on.daybook.transact({ kind: 'identity', actor: userActor(ann.user) }, async em => [
    ...(await em.findAll(PasswordCredential)).map(({ passwordHash }) => passwordHash),
    ...(await em.findAll(Session)).map(({ sessionToken }) => sessionToken),
  ])
  const secrets = [password, 'a guess that is wrong', session, verification, reset, invitation, secret, ...hashes]
  const digests = [session, verification, reset, invitation, secret].map(digest)
  expect(secrets.every(each => each.length > 15)).toBe(true)
  expect(on.log.length).toBeGreaterThan(20)
  for (const hidden of [...secrets, ...digests]) {
    expect(on.log.join('').includes(hidden), `logged ${hidden.slice(0, 4)}…`).toBe(false)
    expect(answers.join('').includes(hidden), `answered ${hidden.slice(0, 4)}…`).toBe(false)
  }
})

test('an error of the database is logged by its state, without the statement and its values', async () => {
  const lines = on.log.length
  await expect(
    on.daybook.transact({ tenant: ann.organization, actor: userActor(ann.user) }, em => em.execute(`select 'hunter2secret'::int`)),
  ).rejects.toSatisfy((error: unknown) => {
    on.host.log.error({ err: error }, 'it failed')
    return true
  })
  const logged = on.log.slice(lines).join('')
  expect(logged).toContain('22P02')
  expect(logged).toContain('the database refused')
  expect(logged).not.toContain('hunter2secret')
})
