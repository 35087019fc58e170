import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { claimedEmailSql, currentUserSql, globalEntity, inIdentityScopeSql, moment, Row } from '../../orm/index.ts'

export const userStatuses = ['ACTIVE', 'INVITED', 'LOCKED', 'DISABLED'] as const
export type UserStatus = (typeof userStatuses)[number]

export const locales = ['en', 'fr'] as const
export type Locale = (typeof locales)[number]

/** With the longest lock that bounds guesses to 120 a day and person, however many guess. */
const attemptsBeforeLock = 5
const firstLockMs = 15 * 60_000
/** Whoever is kept out by somebody else's guesses waits no longer, and needs no luck then: they have as many attempts again. */
const longestLockMs = 3_600_000
/** A lock that has been over for so long is no reason for the next to be longer. */
const rememberedMs = 24 * 3_600_000

/** A person, who may belong to many organizations. Their password hash lives apart, in `PasswordCredential`. */
export class User extends Row {
  declare email: string
  declare emailVerified?: Date | null
  declare name?: string | null
  declare firstName?: string | null
  declare lastName?: string | null
  declare image?: string | null
  declare locale: Opt<Locale>
  declare timeZone: Opt<string>
  declare status: Opt<UserStatus>
  declare lastLoginAt?: Date | null
  declare failedLoginCount: Opt<number>
  declare lockedUntil?: Date | null
  declare deletedAt?: Date | null

  isActive(): boolean {
    return this.status === 'ACTIVE' && !this.deletedAt
  }

  canSignIn(at: Date): boolean {
    return this.isActive() && !(this.lockedUntil && this.lockedUntil > at)
  }

  /** Every attempt counts as a failure until `recordSignIn` says otherwise. Each fifth locks, twice as long as the one before. */
  recordAttempt(at: Date): void {
    if (this.lockedUntil && at.getTime() - this.lockedUntil.getTime() >= rememberedMs) this.unlock()
    this.failedLoginCount++
    // A single attempt after a lock must not lock: whoever made one in time would keep the person out for good.
    if (this.failedLoginCount % attemptsBeforeLock > 0) return
    const locksBefore = this.failedLoginCount / attemptsBeforeLock - 1
    this.lockedUntil = new Date(at.getTime() + Math.min(firstLockMs * 2 ** locksBefore, longestLockMs))
  }

  recordSignIn(at: Date): void {
    this.unlock()
    this.lastLoginAt = at
  }

  /** Gone for everybody; their sessions open nothing any more. */
  softDelete(at: Date): void {
    this.deletedAt ??= at
  }

  restore(): void {
    this.deletedAt = null
  }

  unlock(): void {
    this.failedLoginCount = 0
    this.lockedUntil = null
  }
}

/** Members of the scope's tenant see each other; a person sees and changes themself; a presented address opens one row to look at. */
const visible =
  `id = ${currentUserSql} or (${inIdentityScopeSql} and email = ${claimedEmailSql}) ` +
  `or exists (select 1 from membership m where m.user_id = app_user.id)`
const own = `id = ${currentUserSql}`

export const UserSchema: EntitySchema<User> = globalEntity({
  class: User,
  tableName: 'app_user', // `user` is a reserved word: `select * from user` would answer with the role's name
  properties: {
    email: p.text().unique(),
    emailVerified: moment().nullable(),
    name: p.text().nullable(),
    firstName: p.text().nullable(),
    lastName: p.text().nullable(),
    image: p.text().nullable(),
    locale: p.enum(locales).default('en'),
    timeZone: p.text().default('UTC'),
    status: p.enum(userStatuses).default('ACTIVE'),
    lastLoginAt: moment().nullable(),
    failedLoginCount: p.integer().default(0),
    lockedUntil: moment().nullable(),
    deletedAt: moment().nullable(),
  },
  audit: { log: 'id', personal: ['email', 'name', 'firstName', 'lastName', 'image'] },
  checks: [{ name: 'app_user_email_lower_case', expression: 'email = lower(email)' }],
  policies: [
    { name: 'visible', command: 'select', using: visible },
    { name: 'own_insert', command: 'insert', check: own },
    { name: 'own_update', command: 'update', using: own, check: own },
  ],
})
