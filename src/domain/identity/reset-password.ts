import { LockMode } from '@mikro-orm/core'
import { tell } from '../../audit/index.ts'
import { systemActor, userActor } from '../../context/index.ts'
import { now as currentTime } from '../../kernel/clock.ts'
import { digest, newSecret } from '../../kernel/secret.ts'
import type { Daybook, ScopedEntityManager } from '../../orm/index.ts'
import { normalizeEmail } from './email.ts'
import { assertPasswordAcceptable, hashPassword } from './password.ts'
import { PasswordCredential } from './password-credential.entity.ts'
import { PasswordResetToken } from './password-reset-token.entity.ts'
import { Session } from './session.entity.ts'
import { passPassword } from './sign-in.ts'
import { User } from './user.entity.ts'

const lifetimeMs = 3_600_000

/** A token for a person who may sign in, or nothing. Whoever answers the request says the same in both cases. */
export async function requestPasswordReset(
  daybook: Daybook,
  input: { readonly email: string; readonly ip?: string },
  now = currentTime(),
): Promise<{ user: User; token: string } | undefined> {
  const email = normalizeEmail(input.email)
  const token = newSecret()
  const user = await daybook.scope({ kind: 'identity', actor: systemActor('password-reset'), claim: { email } }).findOne(User, { email })
  if (!user?.isActive()) return undefined
  const em = daybook.scope({ kind: 'identity', actor: userActor(user) })
  em.create(PasswordResetToken, {
    user: em.getReference(User, user.id),
    tokenHash: digest(token),
    expiresAt: new Date(now.getTime() + lifetimeMs),
    requestedIp: input.ip ?? null,
  })
  await em.flush()
  return { user, token }
}

/** Sets a new password for whoever presents a token that is still good, ends their sessions, and lets no other token through. */
export async function resetPassword(
  daybook: Daybook,
  input: { readonly token: string; readonly password: string },
  now = currentTime(),
): Promise<boolean> {
  assertPasswordAcceptable(input.password)
  const claim = { digest: digest(input.token) }
  const presented = await daybook
    .scope({ kind: 'identity', actor: systemActor('password-reset'), claim })
    .findOne(PasswordResetToken, { tokenHash: claim.digest })
  if (!presented?.isUsable(now)) return false
  const passwordHash = await hashPassword(input.password)
  return daybook.transact({ kind: 'identity', actor: userActor(presented.user.id), reason: 'password reset' }, async em => {
    const token = await em.findOne(PasswordResetToken, presented.id, { lockMode: LockMode.PESSIMISTIC_WRITE })
    if (!token?.isUsable(now)) return false
    await replacePassword(em, presented.user.id, passwordHash, now)
    return true
  })
}

/** Sets a new password for a person who knows the old one, and ends their sessions elsewhere and here. */
export async function changePassword(
  daybook: Daybook,
  input: { readonly userId: string; readonly current: string; readonly password: string },
  now = currentTime(),
): Promise<boolean> {
  assertPasswordAcceptable(input.password)
  const scope = { kind: 'identity', actor: userActor(input.userId) } as const
  const user = await daybook.scope(scope).findOne(User, input.userId)
  if (!user) return false
  const passwordHash = await hashPassword(input.password)
  const known = { email: user.email, password: input.current }
  const replaced = await passPassword(daybook, known, now, async em => {
    await replacePassword(em, input.userId, passwordHash, now)
    return true
  })
  return replaced ?? false
}

async function replacePassword(em: ScopedEntityManager, userId: string, passwordHash: string, now: Date): Promise<void> {
  const user = await em.findOneOrFail(User, userId, { lockMode: LockMode.PESSIMISTIC_WRITE })
  const credential = await em.findOne(PasswordCredential, { user: userId })
  if (credential) Object.assign(credential, { passwordHash, changedAt: now })
  else em.create(PasswordCredential, { user, passwordHash, changedAt: now })
  user.unlock()
  for (const session of await em.find(Session, { user: userId, revokedAt: null })) session.revoke(now)
  for (const token of await em.find(PasswordResetToken, { user: userId, usedAt: null })) token.usedAt = now
  await tell(em, { type: 'auth.password-changed', log: userId, about: user })
}
