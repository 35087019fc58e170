import { allLockedAfresh, lockedAfresh, type ScopedEntityManager } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { PermissionUnknownError } from './access.errors.ts'
import { Membership } from './membership.entity.ts'
import { assertAuthorityOver } from './memberships.ts'
import { assertMayGrant, assertMayTake } from './own-permissions.ts'
import type { Subject } from './permission-decision.ts'
import { Permission } from './permission.entity.ts'
import type { Role } from './role.entity.ts'
import { permissionKeysOf } from './roles.ts'
import { type PermissionEffect, UserPermission } from './user-permission.entity.ts'
import { UserRole } from './user-role.entity.ts'

export interface Until {
  readonly expiresAt?: Date
}

/** Gives a member a role besides their membership's, everywhere or for one thing. */
export async function grantRole(
  em: ScopedEntityManager,
  userId: string,
  role: Role,
  { expiresAt, subject }: Until & { readonly subject?: Pick<Subject, 'type' | 'id'> } = {},
): Promise<UserRole> {
  await assertMayGrant(em, await permissionKeysOf(em, role), expiresAt ?? null)
  return em.create(UserRole, {
    user: em.getReference(User, userId),
    role,
    scopeType: subject?.type ?? null,
    scopeId: subject?.id ?? null,
    expiresAt: expiresAt ?? null,
  })
}

/**
 * Allows or denies one member one thing. A denial needs no permission of the same kind, because it takes away; it needs the authority to take
 * from that member. One that is to end earlier gives something back: that needs the permission for as long, or whom it binds
 * would deny it to themself for a second.
 */
export async function grantPermission(
  em: ScopedEntityManager,
  userId: string,
  key: string,
  effect: PermissionEffect,
  { expiresAt }: Until = {},
): Promise<UserPermission> {
  const permission = await em.findOne(Permission, { key })
  if (!permission) throw new PermissionUnknownError([key])
  // Held until the end: somebody else may be denying it for longer just now.
  const [existing] = await allLockedAfresh(em, UserPermission, { user: userId, permission: permission.id })
  const denied = existing?.effect === 'DENY' ? existing : undefined
  if (effect === 'DENY') await assertAuthorityOverPerson(em, userId)
  // What is allowed instead of what was denied isn't denied afterwards either.
  if (effect === 'ALLOW') await assertMayGrant(em, [key], denied ? later(expiresAt, denied.expiresAt) : (expiresAt ?? null))
  else if (denied && endsEarlier(expiresAt, denied.expiresAt)) await assertMayGrant(em, [key], denied.expiresAt ?? null)
  if (!existing) return em.create(UserPermission, { user: em.getReference(User, userId), permission, effect, expiresAt: expiresAt ?? null })
  return Object.assign(existing, { effect, expiresAt: expiresAt ?? null })
}

/** What somebody couldn't have given they can't take away. */
export async function revokeRole(em: ScopedEntityManager, granted: UserRole): Promise<void> {
  await assertMayTake(em, await permissionKeysOf(em, await granted.role.loadOrFail()))
  em.remove(granted)
}

/** The same for what was denied: nobody lifts a denial of what they may not do, and so nobody lifts their own. */
export async function revokePermission(em: ScopedEntityManager, granted: UserPermission): Promise<void> {
  const { key } = await granted.permission.loadOrFail()
  const { effect, expiresAt } = await lockedAfresh(em, UserPermission, granted.id)
  if (effect === 'DENY') await assertMayGrant(em, [key], expiresAt ?? null)
  else await assertMayTake(em, [key])
  em.remove(granted)
}

function endsEarlier(end: Date | undefined, before: Date | null | undefined): boolean {
  return end !== undefined && !(before && before <= end)
}

function later(end: Date | undefined, other: Date | null | undefined): Date | null {
  if (!end || !other) return null
  return end > other ? end : other
}

async function assertAuthorityOverPerson(em: ScopedEntityManager, user: string): Promise<void> {
  const membership = await em.findOne(Membership, { user })
  if (membership) await assertAuthorityOver(em, membership)
}
