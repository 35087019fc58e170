/**
 * Identity: who somebody is, before any tenant comes into it. People, their passwords, their sessions, and the tokens that prove an address
 * or replace a password. Everything here works in identity scopes, in which a person's own rows are visible and nobody else's.
 */
export { Account, AccountSchema } from './account.entity.ts'
export { cleanupExpiredSessions, cleanupExpiredTokens, type CleanupOptions } from './cleanup.ts'
export { normalizeEmail } from './email.ts'
export { CleanupScopeError, EmailInvalidError, PasswordRefusedError } from './identity.errors.ts'
export { assertPasswordAcceptable, hashPassword, needsRehash, verifyPassword } from './password.ts'
export { PasswordCredential, PasswordCredentialSchema } from './password-credential.entity.ts'
export { PasswordResetToken, PasswordResetTokenSchema } from './password-reset-token.entity.ts'
export { changePassword, requestPasswordReset, resetPassword } from './reset-password.ts'
export { Session, SessionSchema } from './session.entity.ts'
export {
  activateTenant,
  authenticateSession,
  type Browser,
  type OpenedSession,
  openSession,
  signOut,
  signOutEverywhere,
} from './session.ts'
export { confirmPassword, type SignedIn, signIn } from './sign-in.ts'
export { UserProfile, UserProfileSchema } from './user-profile.entity.ts'
export { type Locale, locales, User, UserSchema, type UserStatus, userStatuses } from './user.entity.ts'
export { type TokenPurpose, tokenPurposes, VerificationToken, VerificationTokenSchema } from './verification-token.entity.ts'
export { requestEmailVerification, verifyEmail } from './verify-email.ts'
