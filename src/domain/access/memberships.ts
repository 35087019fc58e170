import { now } from '../../kernel/clock.ts'
import { allLockedAfresh, type ScopedEntityManager } from '../../orm/index.ts'
import { LastOwnerError, MembershipLeftError } from './access.errors.ts'
import { ApiKey } from './api-key.entity.ts'
import { Membership } from './membership.entity.ts'
import { assertMayGrant, assertMayTake } from './own-permissions.ts'
import { Role } from './role.entity.ts'
import { permissionKeysOf } from './roles.ts'
import { UserPermission } from './user-permission.entity.ts'
import { UserRole } from './user-role.entity.ts'

export async function changeRole(em: ScopedEntityManager, membership: Membership, role: Role): Promise<void> {
  if (membership.role.id === role.id) return
  await assertAuthorityOver(em, membership)
  await assertMayGrant(em, await permissionKeysOf(em, role), null)
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
  const held = Map.groupBy(await heldBy(em, membership), ({ until }) => until?.getTime())
  for (const [until, grants] of held) await assertMayGrant(em, keysIn(grants), until === undefined ? null : new Date(until))
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
  await assertMayTake(em, keysIn(await heldBy(em, membership)))
}

interface Held {
  readonly key: string
  /** Nothing is for good. */
  readonly until?: Date | null | undefined
}

/** By the membership's role, by what was granted besides, by their keys: a suspension takes it all, and the end of one gives it all back. */
async function heldBy(em: ScopedEntityManager, { user, role }: Membership): Promise<Held[]> {
  const lasting = { $or: [{ expiresAt: null }, { expiresAt: { $gt: now() } }] }
  const granted = { user: user.id, ...lasting }
  const further = await em.find(UserRole, granted, { populate: ['role'] })
  const direct = await em.find(UserPermission, { ...granted, effect: 'ALLOW' }, { populate: ['permission'] })
  const apiKeys = await em.find(ApiKey, { createdBy: user.id, revokedAt: null, ...lasting })
  const held: Held[] = direct.map(({ permission, expiresAt }) => ({ key: permission.$.key, until: expiresAt }))
  const roles = [
    { role: await role.loadOrFail(), expiresAt: null },
    ...further.map(({ role: other, expiresAt }) => ({ role: other.$, expiresAt })),
  ]
  for (const { role: each, expiresAt } of roles) for (const key of await permissionKeysOf(em, each)) held.push({ key, until: expiresAt })
  for (const { scopes, expiresAt } of apiKeys) for (const key of scopes) held.push({ key, until: expiresAt })
  return held
}

const keysIn = (held: readonly Held[]) => held.map(({ key }) => key)

/** Locks the owners' rows, so two owners who leave at once take turns and the second finds itself the last. */
async function keepAnOwner(em: ScopedEntityManager, membership: Membership): Promise<void> {
  const owner = await em.findOneOrFail(Role, { key: 'OWNER', isSystem: true })
  if (membership.role.id !== owner.id || membership.status !== 'ACTIVE') return
  const owners = await allLockedAfresh(em, Membership, { role: owner.id, status: 'ACTIVE' }, { orderBy: { id: 'asc' } })
  if (owners.every(({ id }) => id === membership.id)) throw new LastOwnerError()
}
