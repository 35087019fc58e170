import { LockMode } from '@mikro-orm/core'
import { tell } from '../../audit/index.ts'
import { systemActor, userActor } from '../../context/index.ts'
import { now as currentTime } from '../../kernel/clock.ts'
import { newId } from '../../kernel/id.ts'
import type { Daybook } from '../../orm/index.ts'
import { normalizeEmail } from './email.ts'
import { EmailInvalidError } from './identity.errors.ts'
import { hashPassword, needsRehash, verifyPassword } from './password.ts'
import { PasswordCredential } from './password-credential.entity.ts'
import { type Browser, openSession } from './session.ts'
import type { Session } from './session.entity.ts'
import { User } from './user.entity.ts'

export interface SignedIn {
  readonly user: User
  readonly session: Session
  readonly token: string
}

/** The hash of a password that nobody has: verified when there is none to verify, so that both take the same time. */
const nobodysHash = '$argon2id$v=19$m=19456,t=2,p=1$oR8A2fJWagl+bRt5gH/hIw$SHEXagrBCVjQUnqzmTUe1K6zvto6figxM3SldTEMaYM'

/**
 * Signs a person in, or says no. Unknown, locked, disabled and mistaken all get the same answer after the same work. The attempt is
 * counted before the password is looked at, under a lock on the person, so guesses in parallel can't outrun the lock-out.
 */
export async function signIn(
  daybook: Daybook,
  input: { readonly email: string; readonly password: string } & Browser,
  now = currentTime(),
): Promise<SignedIn | undefined> {
  const user = await passPassword(daybook, input.email, input.password, now)
  return user && { user, ...(await openSession(daybook, user, input, now)) }
}

/** True when the password is the person's; counts and locks like a sign-in. */
export async function confirmPassword(daybook: Daybook, user: User, password: string, now = currentTime()): Promise<boolean> {
  return (await passPassword(daybook, user.email, password, now)) !== undefined
}

/** What is known of who tries; without a hash there is nothing that would let them in. */
interface Attempt {
  readonly userId: string
  readonly hash?: string
  readonly refusal?: 'locked' | 'inactive' | 'no password'
}

async function passPassword(daybook: Daybook, email: string, password: string, now: Date): Promise<User | undefined> {
  const attempt = await countAttempt(daybook, email, now)
  const matches = await verifyPassword(password, attempt?.hash ?? nobodysHash)
  if (attempt?.hash && matches) return rememberSuccess(daybook, { userId: attempt.userId, hash: attempt.hash }, password, now)
  await rememberFailure(daybook, attempt)
  return undefined
}

/** Nobody's failure takes a transaction, too, so that its duration tells nothing. */
async function rememberFailure(daybook: Daybook, attempt: Attempt | undefined): Promise<void> {
  const actor = attempt ? userActor(attempt.userId) : systemActor('sign-in')
  await daybook.transact({ kind: 'identity', actor }, async em => {
    const user = await em.findOne(User, attempt?.userId ?? newId())
    if (user)
      await tell(em, { type: 'auth.sign-in-failed', log: user.id, about: user, details: { because: attempt?.refusal ?? 'password' } })
  })
}

async function countAttempt(daybook: Daybook, address: string, now: Date): Promise<Attempt | undefined> {
  const email = addressOrNothing(address)
  const claimant =
    email && (await daybook.scope({ kind: 'identity', actor: systemActor('sign-in'), claim: { email } }).findOne(User, { email }))
  if (!claimant) return undefined
  return daybook.transact({ kind: 'identity', actor: userActor(claimant) }, async em => {
    const user = await em.findOneOrFail(User, claimant.id, { lockMode: LockMode.PESSIMISTIC_WRITE })
    const credential = await em.findOne(PasswordCredential, { user: user.id })
    if (!credential) return { userId: user.id, refusal: 'no password' }
    if (!user.canSignIn(now)) return { userId: user.id, refusal: user.isActive() ? 'locked' : 'inactive' }
    user.recordAttempt(now)
    if (user.lockedUntil) await tell(em, { type: 'auth.locked', log: user.id, about: user, details: { until: user.lockedUntil } })
    return { userId: user.id, hash: credential.passwordHash }
  })
}

async function rememberSuccess(
  daybook: Daybook,
  { userId, hash }: Required<Pick<Attempt, 'userId' | 'hash'>>,
  password: string,
  now: Date,
): Promise<User> {
  const renewed = needsRehash(hash) ? await hashPassword(password) : undefined
  return daybook.transact({ kind: 'identity', actor: userActor(userId) }, async em => {
    const user = await em.findOneOrFail(User, userId, { lockMode: LockMode.PESSIMISTIC_WRITE })
    user.recordSignIn(now)
    if (renewed) (await em.findOneOrFail(PasswordCredential, { user: userId })).passwordHash = renewed
    return user
  })
}

function addressOrNothing(text: string): string | undefined {
  try {
    return normalizeEmail(text)
  } catch (error) {
    if (error instanceof EmailInvalidError) return undefined
    throw error
  }
}
