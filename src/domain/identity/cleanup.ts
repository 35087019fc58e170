import { now } from '../../kernel/clock.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { PasswordResetToken } from './password-reset-token.entity.ts'
import { Session } from './session.entity.ts'
import { VerificationToken } from './verification-token.entity.ts'

export interface CleanupOptions {
  readonly at?: Date
  /** Counts, and leaves everything as it is. */
  readonly dryRun?: boolean
}

/** Deletes sessions that nobody can use any more, as an operator; how many there were. */
export function cleanupExpiredSessions(em: ScopedEntityManager, { at = now(), dryRun }: CleanupOptions = {}): Promise<number> {
  const expired = { expires: { $lte: at } }
  return dryRun ? em.count(Session, expired) : em.nativeDelete(Session, expired)
}

/** The same for tokens that were mailed and not used in time. */
export async function cleanupExpiredTokens(em: ScopedEntityManager, { at = now(), dryRun }: CleanupOptions = {}): Promise<number> {
  const [verification, reset] = [{ expires: { $lte: at } }, { expiresAt: { $lte: at } }]
  if (dryRun) return (await em.count(VerificationToken, verification)) + (await em.count(PasswordResetToken, reset))
  return (await em.nativeDelete(VerificationToken, verification)) + (await em.nativeDelete(PasswordResetToken, reset))
}
