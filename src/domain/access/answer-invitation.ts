import { LockMode, UniqueConstraintViolationException } from '@mikro-orm/core'
import { systemActor, userActor } from '../../context/index.ts'
import { now as currentTime } from '../../kernel/clock.ts'
import { newId } from '../../kernel/id.ts'
import { digest } from '../../kernel/secret.ts'
import type { Daybook, ScopedEntityManager } from '../../orm/index.ts'
import { assertPasswordAcceptable, hashPassword, PasswordCredential, User } from '../identity/index.ts'
import { assertServedHere, Organization } from '../organizations/index.ts'
import { AlreadyMemberError, EmailTakenError, InvitationInvalidError } from './access.errors.ts'
import { ApiKey } from './api-key.entity.ts'
import { Invitation } from './invitation.entity.ts'
import { isStillOffered } from './invitations.ts'
import { Membership } from './membership.entity.ts'
import { tenantOf } from '../../kernel/token-of-tenant.ts'
import { UserPermission } from './user-permission.entity.ts'
import { UserRole } from './user-role.entity.ts'

export type Acceptance =
  /** By somebody who is signed in, with the address that was invited. */
  | { readonly token: string; readonly userId: string; readonly now?: Date }
  /** By somebody new: reading the mail has proved the address. */
  | { readonly token: string; readonly password: string; readonly name?: string; readonly now?: Date }

/** Makes whoever holds the token a member. */
export async function acceptInvitation(daybook: Daybook, acceptance: Acceptance): Promise<{ user: User; tenantId: string }> {
  const { token, now = currentTime() } = acceptance
  const { tenantId, invitation } = await openInvitation(daybook, token, now)
  const newcomer = 'password' in acceptance ? await prepareNewcomer(daybook, invitation, acceptance) : undefined
  const userId = 'userId' in acceptance ? acceptance.userId : newId()
  const scope = { tenant: tenantId, actor: userActor(userId), reason: 'invitation accepted' }
  const user = await daybook
    .transact(scope, em => admit(em, invitation.id, userId, newcomer, { now, region: daybook.region }))
    .catch((error: unknown) => {
      if (newcomer && error instanceof UniqueConstraintViolationException) throw new EmailTakenError({ cause: error })
      throw error
    })
  return { user, tenantId }
}

/** Says no to an offer; whoever holds its token may. */
export async function rejectInvitation(daybook: Daybook, token: string, now = currentTime()): Promise<void> {
  const { tenantId, invitation } = await openInvitation(daybook, token, now)
  await daybook.transact({ tenant: tenantId, actor: systemActor('invitation'), reason: 'invitation rejected' }, async em => {
    assertServedHere(await em.findOneOrFail(Organization, tenantId), daybook.region)
    const stored = await em.findOneOrFail(Invitation, invitation.id, { lockMode: LockMode.PESSIMISTIC_WRITE })
    if (!stored.isOpen(now)) throw new InvitationInvalidError()
    stored.close('REJECTED')
  })
}

async function openInvitation(daybook: Daybook, token: string, now: Date): Promise<{ tenantId: string; invitation: Invitation }> {
  const bytes = /^([\w-]{22})\.[\w-]{43}$/.exec(token)?.[1]
  if (!bytes) throw new InvitationInvalidError()
  const tenantId = tenantOf(Buffer.from(bytes, 'base64url'))
  const scope = { tenant: tenantId, actor: systemActor('invitation') }
  const invitation = await daybook.scope(scope).findOne(Invitation, { tokenHash: digest(token) })
  if (!invitation?.isOpen(now)) {
    if (invitation?.status === 'PENDING') await markExpired(daybook, scope, invitation.id)
    throw new InvitationInvalidError()
  }
  return { tenantId, invitation }
}

async function markExpired(daybook: Daybook, scope: Parameters<Daybook['scope']>[0], id: string): Promise<void> {
  await daybook.transact(scope, async em => {
    const invitation = await em.findOneOrFail(Invitation, id, { lockMode: LockMode.PESSIMISTIC_WRITE })
    if (invitation.status === 'PENDING') invitation.close('EXPIRED')
  })
}

interface Newcomer {
  readonly name: string | null
  readonly passwordHash: string
}

async function prepareNewcomer(
  daybook: Daybook,
  { email }: Invitation,
  { password, name }: { readonly password: string; readonly name?: string },
): Promise<Newcomer> {
  assertPasswordAcceptable(password)
  const known = await daybook.scope({ kind: 'identity', actor: systemActor('invitation'), claim: { email } }).findOne(User, { email })
  if (known) throw new EmailTakenError()
  return { name: name ?? null, passwordHash: await hashPassword(password) }
}

async function admit(
  em: ScopedEntityManager,
  invitationId: string,
  userId: string,
  newcomer: Newcomer | undefined,
  { now, region }: { readonly now: Date; readonly region: string | undefined },
): Promise<User> {
  const invitation = await em.findOneOrFail(Invitation, invitationId, { lockMode: LockMode.PESSIMISTIC_WRITE, populate: ['role'] })
  const organization = await em.findOneOrFail(Organization, invitation.tenantId)
  assertServedHere(organization, region)
  if (!invitation.isOpen(now) || !organization.isServed() || !(await isStillOffered(em, invitation))) throw new InvitationInvalidError()
  const user = newcomer ? createNewcomer(em, userId, invitation.email, newcomer, now) : await em.findOne(User, userId)
  if (user?.email !== invitation.email || !user.isActive()) throw new InvitationInvalidError()
  await join(em, user, invitation, now)
  invitation.close('ACCEPTED')
  return user
}

function createNewcomer(em: ScopedEntityManager, id: string, email: string, { name, passwordHash }: Newcomer, now: Date): User {
  const user = em.create(User, { id, email, name, emailVerified: now })
  em.create(PasswordCredential, { user, passwordHash, changedAt: now })
  return user
}

async function join(em: ScopedEntityManager, user: User, { role, invitedBy }: Invitation, now: Date): Promise<void> {
  const membership = await em.findOne(Membership, { user: user.id })
  if (!membership) {
    em.create(Membership, { user, role, invitedBy: invitedBy ?? null, joinedAt: now })
    return
  }
  if (membership.status !== 'LEFT') throw new AlreadyMemberError()
  await forgetGrants(em, user, now)
  membership.reactivate(now)
  membership.role = role
}

/** Whoever joins again has what they were offered. Grants and keys from before would be more than whoever invited them may give; denials stay. */
async function forgetGrants(em: ScopedEntityManager, user: User, now: Date): Promise<void> {
  for (const role of await em.find(UserRole, { user: user.id })) em.remove(role)
  for (const permission of await em.find(UserPermission, { user: user.id, effect: 'ALLOW' })) em.remove(permission)
  for (const apiKey of await em.find(ApiKey, { createdBy: user.id })) apiKey.revoke(now)
}
