import { LockMode } from '@mikro-orm/core'
import { now as currentTime } from '../../kernel/clock.ts'
import { digest, newSecret } from '../../kernel/secret.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { normalizeEmail, User } from '../identity/index.ts'
import { AlreadyMemberError, PermissionDeniedError } from './access.errors.ts'
import { Invitation } from './invitation.entity.ts'
import { Membership } from './membership.entity.ts'
import { actorMay, assertMayGrant } from './own-permissions.ts'
import { can, permissionsMissing } from './permissions.ts'
import { personActing } from './person-acting.ts'
import type { Role } from './role.entity.ts'
import { permissionKeysOf } from './roles.ts'
import { tenantBytes } from '../../kernel/token-of-tenant.ts'

const lifetimeMs = 7 * 24 * 3_600_000

/** Offers a role to an address. The token goes into the mail and nowhere else; an earlier offer to the same address is withdrawn. */
export async function inviteMember(
  em: ScopedEntityManager,
  { email: address, role, now = currentTime() }: { readonly email: string; readonly role: Role; readonly now?: Date },
): Promise<{ invitation: Invitation; token: string }> {
  const email = normalizeEmail(address)
  await assertMayGrant(em, await permissionKeysOf(em, role), null)
  // Asked again when somebody accepts, so it is better told now.
  if (!(await actorMay(em, 'invitation:create'))) throw new PermissionDeniedError('invitation:create', 'nobody joins by what others send')
  await withdrawEarlier(em, role.tenantId, email, now)
  // Asked after that, because an earlier invitation may have been accepted just now.
  if (await em.findOne(Membership, { user: { email }, status: { $ne: 'LEFT' } })) throw new AlreadyMemberError()
  const token = `${tenantBytes(role.tenantId).toString('base64url')}.${newSecret()}`
  const inviter = await personActing(em, em.boundScope!.actor)
  const invitation = em.create(Invitation, {
    email,
    role,
    tokenHash: digest(token),
    expiresAt: new Date(now.getTime() + lifetimeMs),
    invitedBy: inviter ? em.getReference(User, inviter) : null,
  })
  await em.flush()
  return { invitation, token }
}

/** Whether whoever has sent it still may: what nobody has sent, but the system, is the organization's own. */
export async function isStillOffered(em: ScopedEntityManager, { role, invitedBy }: Invitation): Promise<boolean> {
  if (!invitedBy) return true
  const inviter = await em.findOne(User, invitedBy.id)
  if (!inviter?.isActive() || !(await can(em, inviter, 'invitation:create'))) return false
  return (await permissionsMissing(em, inviter, await permissionKeysOf(em, await role.loadOrFail()), null)).length === 0
}

/** Takes an offer back. */
export function cancelInvitation(invitation: Invitation): void {
  invitation.close('CANCELED')
}

/** Closes open offers that nobody took in time, some at a time; how many there were. */
export async function expireInvitations(em: ScopedEntityManager, at: Date): Promise<number> {
  const expired = await em.find(Invitation, openUntil(at), { limit: 500, lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE })
  for (const invitation of expired) invitation.close('EXPIRED')
  return expired.length
}

export function countExpiredInvitations(em: ScopedEntityManager, at: Date, tenantId?: string): Promise<number> {
  return em.count(Invitation, { ...openUntil(at), ...(tenantId && { tenantId }) })
}

const openUntil = (at: Date) => ({ status: 'PENDING' as const, expiresAt: { $lte: at } })

/** Offers to one address take turns, so that of several at once the last is the one that is good. */
async function withdrawEarlier(em: ScopedEntityManager, tenantId: string, email: string, now: Date): Promise<void> {
  await em.execute(`select pg_advisory_xact_lock(hashtextextended('daybook:invitation:' || ?, 0))`, [`${tenantId}:${email}`])
  const earlier = await em.findOne(Invitation, { email, status: 'PENDING' }, { lockMode: LockMode.PESSIMISTIC_WRITE })
  earlier?.close(earlier.expiresAt > now ? 'CANCELED' : 'EXPIRED')
  await em.flush()
}
