import { LockMode, UniqueConstraintViolationException } from '@mikro-orm/core'
import { systemActor, userActor } from '../../context/index.ts'
import { now as currentTime } from '../../kernel/clock.ts'
import { newId } from '../../kernel/id.ts'
import { digest, newSecret } from '../../kernel/secret.ts'
import type { Daybook, ScopedEntityManager } from '../../orm/index.ts'
import { assertPasswordAcceptable, hashPassword, normalizeEmail, PasswordCredential, User } from '../identity/index.ts'
import { AlreadyMemberError, EmailTakenError, InvitationInvalidError } from './access.errors.ts'
import { Invitation } from './invitation.entity.ts'
import { Membership } from './membership.entity.ts'
import { assertMayGrant } from './own-permissions.ts'
import type { Role } from './role.entity.ts'
import { permissionKeysOf } from './roles.ts'
import { tenantBytes, tenantOf } from './token-of-tenant.ts'

const lifetimeMs = 7 * 24 * 3_600_000

/** Offers a role to an address. The token goes into the mail and nowhere else; an earlier offer to the same address is withdrawn. */
export async function inviteMember(
  em: ScopedEntityManager,
  { email: address, role, now = currentTime() }: { readonly email: string; readonly role: Role; readonly now?: Date },
): Promise<{ invitation: Invitation; token: string }> {
  const email = normalizeEmail(address)
  await assertMayGrant(em, await permissionKeysOf(em, role))
  if (await em.findOne(Membership, { user: { email }, status: 'ACTIVE' })) throw new AlreadyMemberError()
  const earlier = await em.findOne(Invitation, { email, status: 'PENDING' }, { lockMode: LockMode.PESSIMISTIC_WRITE })
  earlier?.close(earlier.expiresAt > now ? 'CANCELED' : 'EXPIRED')
  await em.flush()
  const token = `${tenantBytes(role.tenantId).toString('base64url')}.${newSecret()}`
  const { actor } = em.boundScope!
  const invitation = em.create(Invitation, {
    email,
    role,
    tokenHash: digest(token),
    expiresAt: new Date(now.getTime() + lifetimeMs),
    invitedBy: actor.type === 'user' ? em.getReference(User, actor.id) : null,
  })
  await em.flush()
  return { invitation, token }
}

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
    .transact(scope, em => admit(em, invitation.id, userId, newcomer, now))
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
    const stored = await em.findOneOrFail(Invitation, invitation.id, { lockMode: LockMode.PESSIMISTIC_WRITE })
    stored.close('REJECTED')
  })
}

/** Takes an offer back. */
export function cancelInvitation(invitation: Invitation): void {
  invitation.close('CANCELED')
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
  now: Date,
): Promise<User> {
  const invitation = await em.findOneOrFail(Invitation, invitationId, { lockMode: LockMode.PESSIMISTIC_WRITE, populate: ['role'] })
  if (!invitation.isOpen(now)) throw new InvitationInvalidError()
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
  if (membership.status === 'ACTIVE') throw new AlreadyMemberError()
  membership.reactivate(now)
  membership.role = role
}
