import { LockMode } from '@mikro-orm/core'
import { tell } from '../../audit/index.ts'
import { systemActor, userActor } from '../../context/index.ts'
import { now as currentTime } from '../../kernel/clock.ts'
import { newId } from '../../kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../orm/index.ts'
import { normalizeEmail } from './email.ts'
import { EmailInvalidError } from './identity.errors.ts'
import { hashPassword, needsRehash, verifyPassword } from './password.ts'
import { PasswordCredential } from './password-credential.entity.ts'
import { addSession, type Browser } from './session.ts'
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
  return passPassword(daybook, input, now, async (em, user) => ({ user, ...(await addSession(em, user.id, input, now)) }))
}

/** True when the password is the person's; counts and locks like a sign-in. */
export async function confirmPassword(daybook: Daybook, user: User, password: string, now = currentTime()): Promise<boolean> {
  return (await passPassword(daybook, { email: user.email, password }, now, async () => true)) ?? false
}

/** What is known of who tries; without a hash there is nothing that would let them in. */
interface Attempt {
  readonly userId: string
  readonly hash?: string
  readonly refusal?: 'locked' | 'inactive' | 'no password'
}

interface Credentials {
  readonly email: string
  readonly password: string
}

/** What the right password lets somebody do, under a lock on the person. */
type Permitted<T> = (em: ScopedEntityManager, user: User) => Promise<T>

export async function passPassword<T>(
  daybook: Daybook,
  { email, password }: Credentials,
  now: Date,
  permitted: Permitted<T>,
): Promise<T | undefined> {
  const attempt = await countAttempt(daybook, email, now)
  const matches = await verifyPassword(password, attempt?.hash ?? nobodysHash)
  const done = attempt?.hash && matches ? await rememberSuccess(daybook, attempt as Matched, { password, now, permitted }) : undefined
  if (!done) await rememberFailure(daybook, attempt)
  return done?.answer
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
    if (!user.canSignIn(now)) await tell(em, { type: 'auth.locked', log: user.id, about: user, details: { until: user.lockedUntil } })
    return { userId: user.id, hash: credential.passwordHash }
  })
}

type Matched = Required<Pick<Attempt, 'userId' | 'hash'>>

interface Success<T> {
  readonly password: string
  readonly now: Date
  readonly permitted: Permitted<T>
}

/**
 * Nothing where the person has another password by now: it takes a while to compare one, and whoever has replaced theirs meanwhile has ended
 * all that the old one opened. So what it opens is opened here, where nobody replaces it.
 */
async function rememberSuccess<T>(
  daybook: Daybook,
  { userId, hash }: Matched,
  { password, now, permitted }: Success<T>,
): Promise<{ readonly answer: T } | undefined> {
  const renewed = needsRehash(hash) ? await hashPassword(password) : undefined
  return daybook.transact({ kind: 'identity', actor: userActor(userId) }, async em => {
    const user = await em.findOneOrFail(User, userId, { lockMode: LockMode.PESSIMISTIC_WRITE })
    const credential = await em.findOneOrFail(PasswordCredential, { user: userId })
    if (credential.passwordHash !== hash) return undefined
    user.recordSignIn(now)
    if (renewed) credential.passwordHash = renewed
    return { answer: await permitted(em, user) }
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
