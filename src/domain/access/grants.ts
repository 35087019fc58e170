import type { ScopedEntityManager } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { PermissionUnknownError } from './access.errors.ts'
import { assertMayGrant } from './own-permissions.ts'
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
  await assertMayGrant(em, await permissionKeysOf(em, role))
  return em.create(UserRole, {
    user: em.getReference(User, userId),
    role,
    scopeType: subject?.type ?? null,
    scopeId: subject?.id ?? null,
    expiresAt: expiresAt ?? null,
  })
}

/** Allows or denies one member one thing. A denial needs no permission of the same kind: it takes away. */
export async function grantPermission(
  em: ScopedEntityManager,
  userId: string,
  key: string,
  effect: PermissionEffect,
  { expiresAt }: Until = {},
): Promise<UserPermission> {
  const permission = await em.findOne(Permission, { key })
  if (!permission) throw new PermissionUnknownError([key])
  if (effect === 'ALLOW') await assertMayGrant(em, [key])
  const existing = await em.findOne(UserPermission, { user: userId, permission })
  if (!existing) return em.create(UserPermission, { user: em.getReference(User, userId), permission, effect, expiresAt: expiresAt ?? null })
  return Object.assign(existing, { effect, expiresAt: expiresAt ?? null })
}
