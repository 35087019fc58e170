import { now } from '../../kernel/clock.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { CleanupScopeError } from './identity.errors.ts'
import { PasswordResetToken } from './password-reset-token.entity.ts'
import { Session } from './session.entity.ts'
import { VerificationToken } from './verification-token.entity.ts'

export interface CleanupOptions {
  readonly at?: Date
  /** Counts, and leaves everything as it is. */
  readonly dryRun?: boolean
}

/** Deletes sessions that nobody can use any more; how many there were. They are nobody's tenant's, so only an operator finds them. */
export async function cleanupExpiredSessions(em: ScopedEntityManager, { at = now(), dryRun }: CleanupOptions = {}): Promise<number> {
  requireOperator(em)
  const expired = { expires: { $lte: at } }
  return dryRun ? em.count(Session, expired) : em.nativeDelete(Session, expired)
}

/** The same for tokens that were mailed and not used in time. */
export async function cleanupExpiredTokens(em: ScopedEntityManager, { at = now(), dryRun }: CleanupOptions = {}): Promise<number> {
  requireOperator(em)
  const [verification, reset] = [{ expires: { $lte: at } }, { expiresAt: { $lte: at } }]
  if (dryRun) return (await em.count(VerificationToken, verification)) + (await em.count(PasswordResetToken, reset))
  return (await em.nativeDelete(VerificationToken, verification)) + (await em.nativeDelete(PasswordResetToken, reset))
}

/** Anybody else would be told that there are none. */
function requireOperator(em: ScopedEntityManager): void {
  if (em.boundScope?.kind !== 'operator') throw new CleanupScopeError()
}
