import { type EntitySchema, p, type Ref } from '@mikro-orm/core'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { Permission } from './permission.entity.ts'

export const permissionEffects = ['ALLOW', 'DENY'] as const
export type PermissionEffect = (typeof permissionEffects)[number]

/** A grant to one person. A DENY beats whatever their roles allow. */
export class UserPermission extends TenantRow {
  declare user: Ref<User>
  declare permission: Ref<Permission>
  declare effect: PermissionEffect
  declare expiresAt?: Date | null
}

export const UserPermissionSchema: EntitySchema<UserPermission> = tenantEntity({
  class: UserPermission,
  properties: {
    user: () => p.manyToOne(User).ref(),
    permission: () => p.manyToOne(Permission).ref(),
    effect: p.enum(permissionEffects),
    expiresAt: moment().nullable(),
  },
  uniques: [{ properties: ['user', 'permission'] }],
})
