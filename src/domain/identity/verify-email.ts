import { LockMode } from '@mikro-orm/core'
import { systemActor, userActor } from '../../context/index.ts'
import { now as currentTime } from '../../kernel/clock.ts'
import { digest, newSecret } from '../../kernel/secret.ts'
import type { Daybook } from '../../orm/index.ts'
import { User } from './user.entity.ts'
import { VerificationToken } from './verification-token.entity.ts'

const lifetimeMs = 24 * 3_600_000

/** A token that proves, when it comes back, that the person reads mail for their address. Earlier ones stop working. */
export async function requestEmailVerification(daybook: Daybook, user: User, now = currentTime()): Promise<string> {
  const token = newSecret()
  const { email: identifier } = user
  await daybook.transact({ kind: 'identity', actor: userActor(user), claim: { email: identifier } }, async em => {
    await em.nativeDelete(VerificationToken, { identifier, purpose: 'EMAIL_VERIFY' })
    em.create(VerificationToken, {
      identifier,
      token: digest(token),
      expires: new Date(now.getTime() + lifetimeMs),
      purpose: 'EMAIL_VERIFY',
    })
  })
  return token
}

/** The person whose address is verified now; undefined for a token that is unknown, used or expired. */
export async function verifyEmail(daybook: Daybook, token: string, now = currentTime()): Promise<User | undefined> {
  const identifier = await useUp(daybook, token, now)
  if (!identifier) return undefined
  const claim = { email: identifier }
  const claimant = await daybook.scope({ kind: 'identity', actor: systemActor('verification'), claim }).findOne(User, { email: identifier })
  if (!claimant) return undefined
  return daybook.transact({ kind: 'identity', actor: userActor(claimant) }, async em => {
    const user = await em.findOneOrFail(User, claimant.id)
    user.emailVerified ??= now
    return user
  })
}

async function useUp(daybook: Daybook, token: string, now: Date): Promise<string | undefined> {
  const claim = { digest: digest(token) }
  return daybook.transact({ kind: 'identity', actor: systemActor('verification'), claim }, async em => {
    const stored = await em.findOne(
      VerificationToken,
      { token: claim.digest, purpose: 'EMAIL_VERIFY' },
      { lockMode: LockMode.PESSIMISTIC_WRITE },
    )
    if (!stored) return undefined
    em.remove(stored)
    return stored.expires > now ? stored.identifier : undefined
  })
}
