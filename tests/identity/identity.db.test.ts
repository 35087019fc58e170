import { wrap } from '@mikro-orm/core'
import { argon2Sync, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemActor, userActor } from '../../src/context/index.ts'
import {
  authenticateSession,
  changePassword,
  cleanupExpiredSessions,
  cleanupExpiredTokens,
  type Organization,
  PasswordCredential,
  registerOrganization,
  requestEmailVerification,
  requestPasswordReset,
  resetPassword,
  Session,
  signIn,
  signOut,
  signOutEverywhere,
  User,
  verifyEmail,
} from '../../src/entities.ts'
import { newSecret } from '../../src/kernel/secret.ts'
import type { Daybook } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'

let daybook: Daybook
const password = 'a password for the tests'
const later = (ms: number) => new Date(Date.now() + ms)
const hour = 3_600_000

beforeAll(async () => {
  daybook = await openTestDaybook()
})
afterAll(() => daybook.close())

async function somebody(): Promise<{ user: User; organization: Organization; email: string }> {
  const email = `${crypto.randomUUID()}@example.com`
  return { ...(await registerOrganization(daybook, { email, password, organization: { name: 'Somebody’s' } })), email }
}

/** One that takes seconds to compare a password with, which leaves time for something else meanwhile. */
function slowHash(text: string): string {
  const nonce = randomBytes(16)
  const tag = argon2Sync('argon2id', { message: text, nonce, memory: 65_536, passes: 10, parallelism: 1, tagLength: 32 })
  const [salt, hash] = [nonce, tag].map(bytes => bytes.toString('base64').replace(/=+$/, ''))
  return `$argon2id$v=19$m=65536,t=10,p=1$${salt}$${hash}`
}

const reload = (user: User) => daybook.scope({ kind: 'identity', actor: userActor(user) }).findOneOrFail(User, user.id)

describe('signing in', () => {
  test('the right password opens a session, whatever the case of the address', async () => {
    const { user, email } = await somebody()
    const signedIn = await signIn(daybook, { email: ` ${email.toUpperCase()} `, password, ip: '127.0.0.1', userAgent: 'test' })
    expect(signedIn?.user.id).toBe(user.id)
    expect(await authenticateSession(daybook, signedIn!.token)).toMatchObject({ user: { id: user.id } })
    expect((await reload(user)).lastLoginAt).toBeInstanceOf(Date)
  })

  test.each(['wrong password', '', ' '.repeat(300)])('the password %j opens nothing', async wrong => {
    const { email } = await somebody()
    expect(await signIn(daybook, { email, password: wrong })).toBeUndefined()
  })

  test.each(['nobody@example.com', 'not an address', "' or 1=1 --"])('%j opens nothing', async email => {
    expect(await signIn(daybook, { email, password })).toBeUndefined()
  })

  test('five failures lock the right password out for a quarter of an hour', async () => {
    const { user, email } = await somebody()
    for (let count = 0; count < 5; count++) await signIn(daybook, { email, password: 'wrong password' })
    expect(await signIn(daybook, { email, password })).toBeUndefined()
    expect(await signIn(daybook, { email, password }, later(16 * 60_000))).toMatchObject({ user: { id: user.id } })
    expect((await reload(user)).failedLoginCount).toBe(0)
  })

  test('whoever is locked out by somebody’s guesses gets in at once by a new password', async () => {
    const { user, email } = await somebody()
    const guess = () => signIn(daybook, { email, password: 'wrong password' })
    for (let count = 0; count < 20; count++) await guess()
    const { token } = (await requestPasswordReset(daybook, { email }))!
    await guess()
    expect(await resetPassword(daybook, { token, password: 'a new one for me' })).toBe(true)
    for (let count = 0; count < 4; count++) await guess()
    expect(await signIn(daybook, { email, password: 'a new one for me' })).toMatchObject({ user: { id: user.id } })
    expect(await signIn(daybook, { email, password })).toBeUndefined()
  })

  test('guesses in parallel can’t outrun the lock', async () => {
    const { user, email } = await somebody()
    await Promise.all(Array.from({ length: 30 }, () => signIn(daybook, { email, password: 'wrong password' })))
    expect((await reload(user)).failedLoginCount).toBe(5)
    expect(await signIn(daybook, { email, password })).toBeUndefined()
  })

  test('unknown, mistaken and locked take the same time', { retry: 2 }, async () => {
    const { email } = await somebody()
    const locked = await somebody()
    for (let count = 0; count < 5; count++) await signIn(daybook, { email: locked.email, password: 'wrong password' })
    const unknown = `${crypto.randomUUID()}@example.com`
    const times = { unknown: [] as number[], mistaken: [] as number[], locked: [] as number[] }
    for (let round = 0; round < 4; round++) {
      times.unknown.push(await timed(() => signIn(daybook, { email: unknown, password: 'wrong password' })))
      times.mistaken.push(await timed(() => signIn(daybook, { email, password: 'wrong password' })))
      times.locked.push(await timed(() => signIn(daybook, { email: locked.email, password })))
    }
    // One Argon2 verification dominates each of them; the rows that are looked at besides are a few milliseconds.
    const medians = Object.values(times).map(median)
    expect(Math.min(...medians)).toBeGreaterThan(10)
    expect(Math.max(...medians) / Math.min(...medians)).toBeLessThan(2.5)
  })
})

describe('sessions', () => {
  test('a session ends by signing out, by time, and everywhere at once', async () => {
    const { user, email } = await somebody()
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => signIn(daybook, { email, password })))
    expect(await signOut(daybook, one!.token)).toBe(true)
    expect(await authenticateSession(daybook, one!.token)).toBeUndefined()
    expect(await signOut(daybook, one!.token)).toBe(false)
    expect(await authenticateSession(daybook, two!.token, later(31 * 24 * hour))).toBeUndefined()
    expect(await signOutEverywhere(daybook, user.id)).toBe(2)
    expect(await authenticateSession(daybook, three!.token)).toBeUndefined()
  })

  test('what a token opens is the person and the session as they are stored, and that it was seen is kept once a minute', async () => {
    const { user, email } = await somebody()
    const { token } = (await signIn(daybook, { email, password }))!
    const stored = (id: string) =>
      daybook.transact({ kind: 'identity', actor: userActor(user) }, em => em.findOneOrFail(Session, id, { populate: ['user'] }))
    const opened = (await authenticateSession(daybook, token))!
    const before = await stored(opened.session.id)
    expect([wrap(opened.session).toPOJO(), wrap(opened.user).toPOJO()]).toEqual([wrap(before).toPOJO(), wrap(before.user.$).toPOJO()])
    const soon = new Date(before.lastSeenAt.getTime() + 59_000)
    await authenticateSession(daybook, token, soon)
    expect(await stored(opened.session.id)).toMatchObject({ lastSeenAt: before.lastSeenAt })
    const late = new Date(before.lastSeenAt.getTime() + 61_000)
    await authenticateSession(daybook, token, late)
    expect(await stored(opened.session.id)).toMatchObject({ lastSeenAt: late })
  })

  test.each(['', 'forged', newSecret()])('the token %j opens nothing', async token => {
    expect(await authenticateSession(daybook, token)).toBeUndefined()
  })

  test('a disabled person’s session is closed', async () => {
    const { user, email } = await somebody()
    const { token } = (await signIn(daybook, { email, password }))!
    await daybook.transact({ kind: 'identity', actor: userActor(user) }, async em => {
      ;(await em.findOneOrFail(User, user.id)).status = 'DISABLED'
    })
    expect(await authenticateSession(daybook, token)).toBeUndefined()
  })

  test('neither a session’s token nor its digest is in its JSON', async () => {
    const { email } = await somebody()
    const { token, session } = (await signIn(daybook, { email, password }))!
    const json = JSON.stringify(session)
    expect(json).not.toContain(token)
    expect(json).not.toContain(session.sessionToken)
  })
})

describe('verifying an address', () => {
  test('a token verifies once', async () => {
    const { user } = await somebody()
    const token = await requestEmailVerification(daybook, user)
    expect((await verifyEmail(daybook, token))?.emailVerified).toBeInstanceOf(Date)
    expect(await verifyEmail(daybook, token)).toBeUndefined()
  })

  test('used twice at once, it verifies once', async () => {
    const { user } = await somebody()
    const token = await requestEmailVerification(daybook, user)
    const outcomes = await Promise.all([verifyEmail(daybook, token), verifyEmail(daybook, token)])
    expect(outcomes.filter(Boolean)).toHaveLength(1)
  })

  test('a day later, forged, or after a newer one, it does not', async () => {
    const { user } = await somebody()
    const older = await requestEmailVerification(daybook, user)
    const newer = await requestEmailVerification(daybook, user)
    expect(await verifyEmail(daybook, older)).toBeUndefined()
    expect(await verifyEmail(daybook, newSecret())).toBeUndefined()
    expect(await verifyEmail(daybook, newer, later(25 * hour))).toBeUndefined()
    expect((await reload(user)).emailVerified ?? null).toBeNull()
  })
})

describe('a new password', () => {
  const fresh = 'another password altogether'

  test('replaces the old one, ends all sessions and spends every token', async () => {
    const { email } = await somebody()
    const { token: session } = (await signIn(daybook, { email, password }))!
    const first = (await requestPasswordReset(daybook, { email }))!
    const second = (await requestPasswordReset(daybook, { email }))!
    expect(await resetPassword(daybook, { token: second.token, password: fresh })).toBe(true)
    expect(await resetPassword(daybook, { token: second.token, password: fresh })).toBe(false)
    expect(await resetPassword(daybook, { token: first.token, password: fresh })).toBe(false)
    expect(await authenticateSession(daybook, session)).toBeUndefined()
    expect(await signIn(daybook, { email, password })).toBeUndefined()
    expect(await signIn(daybook, { email, password: fresh })).toBeDefined()
  })

  test('can be asked for by an address that nobody has, and nothing comes of it', async () => {
    expect(await requestPasswordReset(daybook, { email: 'nobody@example.com' })).toBeUndefined()
  })

  test('needs a token that is fresh and real, and a password that is acceptable', async () => {
    const { email } = await somebody()
    const { token } = (await requestPasswordReset(daybook, { email }))!
    expect(await resetPassword(daybook, { token, password: fresh }, later(2 * hour))).toBe(false)
    expect(await resetPassword(daybook, { token: newSecret(), password: fresh })).toBe(false)
    await expect(resetPassword(daybook, { token, password: 'short' })).rejects.toMatchObject({ code: 'identity.password_refused' })
    expect(await signIn(daybook, { email, password })).toBeDefined()
  })

  test('given twice at once, one of them is set', async () => {
    const { email } = await somebody()
    const { token } = (await requestPasswordReset(daybook, { email }))!
    const outcomes = await Promise.all(
      ['first new password', 'second new password'].map(chosen => resetPassword(daybook, { token, password: chosen })),
    )
    expect(outcomes.filter(Boolean)).toHaveLength(1)
  })

  test('ends what the old one was just opening, and isn’t replaced by whoever knows the old one', async () => {
    const { user, email } = await somebody()
    const em = daybook.scope({ kind: 'identity', actor: userActor(user) })
    const { id } = await em.findOneOrFail(PasswordCredential, { user: user.id })
    const asks: ((old: string) => Promise<unknown>)[] = [
      old => signIn(daybook, { email, password: old }),
      old => changePassword(daybook, { userId: user.id, current: old, password: 'what a thief would set' }),
    ]
    for (const ask of asks) {
      await em.nativeUpdate(PasswordCredential, { id }, { passwordHash: slowHash(password) })
      const asked = ask(password)
      await expect.poll(async () => (await reload(user)).failedLoginCount).toBe(1)
      const { token } = (await requestPasswordReset(daybook, { email }))!
      expect(await resetPassword(daybook, { token, password: fresh })).toBe(true)
      expect((await asked) ?? false).toBe(false)
      expect(await em.count(Session, { user: user.id, revokedAt: null })).toBe(0)
      expect(await signIn(daybook, { email, password: fresh })).toMatchObject({ user: { id: user.id } })
    }
  })

  test('is set by whoever knows the current one', async () => {
    const { user, email } = await somebody()
    expect(await changePassword(daybook, { userId: user.id, current: 'wrong password', password: fresh })).toBe(false)
    expect(await changePassword(daybook, { userId: user.id, current: password, password: fresh })).toBe(true)
    expect(await signIn(daybook, { email, password: fresh })).toBeDefined()
  })
})

describe('what only its person may see', () => {
  const tables = ['password_credential', 'session', 'account', 'verification_token', 'password_reset_token']

  test.each(tables)('a tenant scope finds nothing in %s by raw SQL, not even its actor’s own', async table => {
    const { user, organization, email } = await somebody()
    await signIn(daybook, { email, password })
    await requestEmailVerification(daybook, user)
    await requestPasswordReset(daybook, { email })
    const em = daybook.scope({ tenant: organization, actor: userActor(user) })
    expect(await em.execute(`select * from ${table}`)).toEqual([])
  })

  test('an identity scope finds its person’s rows and nobody else’s', async () => {
    const [one, two] = [await somebody(), await somebody()]
    await signIn(daybook, { email: two.email, password })
    const em = daybook.scope({ kind: 'identity', actor: userActor(one.user) })
    expect(await em.find(PasswordCredential, {}, { populate: ['user'] })).toMatchObject([{ user: { id: one.user.id } }])
    expect(await em.find(Session, { user: two.user.id })).toEqual([])
    expect((await em.find(User, {})).map(({ id }) => id)).toEqual([one.user.id])
  })

  test('a claimed address opens that one row, to look at and not to change', async () => {
    const { user, email } = await somebody()
    const em = daybook.scope({ kind: 'identity', actor: systemActor('sign-in'), claim: { email } })
    expect((await em.find(User, {})).map(({ id }) => id)).toEqual([user.id])
    expect(await em.nativeUpdate(User, { id: user.id }, { name: 'Mallory' })).toBe(0)
  })
})

test('sessions and tokens that have expired are cleaned up by an operator, and nobody else is told that there are none', async () => {
  const { user, organization, email } = await somebody()
  await signIn(daybook, { email, password }, later(-400 * 24 * hour))
  const operator = { kind: 'operator', actor: systemActor('job'), reason: 'a test' } as const
  for (const scope of [{ tenant: organization, actor: userActor(user) }, { kind: 'identity', actor: userActor(user) } as const])
    for (const clean of [cleanupExpiredSessions, cleanupExpiredTokens])
      await expect(daybook.transact(scope, em => clean(em))).rejects.toMatchObject({ code: 'identity.cleanup_scope' })
  expect(await daybook.transact(operator, em => cleanupExpiredSessions(em, { dryRun: true }))).toBeGreaterThan(0)
  expect(await daybook.transact(operator, em => cleanupExpiredSessions(em))).toBeGreaterThan(0)
  expect(await daybook.transact(operator, em => cleanupExpiredSessions(em))).toBe(0)
})

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!
