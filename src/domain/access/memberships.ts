import { now } from '../../kernel/clock.ts'
import { allLockedAfresh, type ScopedEntityManager } from '../../orm/index.ts'
import { LastOwnerError, MembershipLeftError } from './access.errors.ts'
import { Membership } from './membership.entity.ts'
import { assertMayGrant } from './own-permissions.ts'
import { Role } from './role.entity.ts'
import { permissionKeysOf } from './roles.ts'
import { UserPermission } from './user-permission.entity.ts'
import { UserRole } from './user-role.entity.ts'

export async function changeRole(em: ScopedEntityManager, membership: Membership, role: Role): Promise<void> {
  if (membership.role.id === role.id) return
  await assertAuthorityOver(em, membership)
  await assertMayGrant(em, await permissionKeysOf(em, role))
  await keepAnOwner(em, membership)
  membership.role = em.getReference(Role, role.id, { wrapped: true })
}

export async function suspendMember(em: ScopedEntityManager, membership: Membership): Promise<void> {
  await assertAuthorityOver(em, membership)
  await keepAnOwner(em, membership)
  membership.suspend()
}

/** Ends a suspension. Whoever left comes back by an invitation alone, since nobody becomes a member without saying yes. */
export async function reactivateMember(em: ScopedEntityManager, membership: Membership): Promise<void> {
  if (membership.status === 'LEFT') throw new MembershipLeftError()
  await assertMayGrant(em, await heldBy(em, membership))
  membership.reactivate(now())
}

/** The membership stays as a record of who was here; the person can be invited again. */
export async function removeMember(em: ScopedEntityManager, membership: Membership): Promise<void> {
  await assertAuthorityOver(em, membership)
  await keepAnOwner(em, membership)
  membership.leave()
}

/** What nobody could have given, nobody can take away: an administrator has no hold over an owner. Everybody has over themself. */
export async function assertAuthorityOver(em: ScopedEntityManager, membership: Membership): Promise<void> {
  const { actor } = em.boundScope!
  if (actor.type === 'user' && actor.id === membership.user.id) return
  await assertMayGrant(em, await heldBy(em, membership))
}

/** By the membership's role and by what was granted besides: a suspension takes it all, and the end of one gives it all back. */
async function heldBy(em: ScopedEntityManager, { user, role }: Membership): Promise<string[]> {
  const granted = { user: user.id, $or: [{ expiresAt: null }, { expiresAt: { $gt: now() } }] }
  const further = await em.find(UserRole, granted, { populate: ['role'] })
  const direct = await em.find(UserPermission, { ...granted, effect: 'ALLOW' }, { populate: ['permission'] })
  const keys = direct.map(({ permission }) => permission.$.key)
  for (const each of new Set([await role.loadOrFail(), ...further.map(other => other.role.$)]))
    keys.push(...(await permissionKeysOf(em, each)))
  return keys
}

/** Locks the owners' rows, so two owners who leave at once take turns and the second finds itself the last. */
async function keepAnOwner(em: ScopedEntityManager, membership: Membership): Promise<void> {
  const owner = await em.findOneOrFail(Role, { key: 'OWNER', isSystem: true })
  if (membership.role.id !== owner.id || membership.status !== 'ACTIVE') return
  const owners = await allLockedAfresh(em, Membership, { role: owner.id, status: 'ACTIVE' }, { orderBy: { id: 'asc' } })
  if (owners.every(({ id }) => id === membership.id)) throw new LastOwnerError()
}
