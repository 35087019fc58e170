import { type EntitySchema, p, type Ref } from '@mikro-orm/core'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { Role } from './role.entity.ts'

/** A role that a person has besides their membership's: everywhere, or for one thing (`scopeType`, `scopeId`), and perhaps not for ever. */
export class UserRole extends TenantRow {
  declare user: Ref<User>
  declare role: Ref<Role>
  declare scopeType?: string | null
  declare scopeId?: string | null
  declare expiresAt?: Date | null
}

export const UserRoleSchema: EntitySchema<UserRole> = tenantEntity({
  class: UserRole,
  properties: {
    user: () => p.manyToOne(User).ref(),
    role: () => p.manyToOne(Role).ref().deleteRule('cascade'),
    scopeType: p.text().nullable(),
    scopeId: p.uuid().nullable(),
    expiresAt: moment().nullable(),
  },
  indexes: [{ properties: ['user'] }],
  checks: [{ name: 'user_role_scope_whole', expression: '(scope_type is null) = (scope_id is null)' }],
})
