import { type Collection, type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { tenantEntity, TenantRow } from '../../orm/index.ts'
import { Permission } from './permission.entity.ts'

/** A named set of permissions. It has its parent's too: inheritance only ever adds. */
export class Role extends TenantRow {
  declare key: string
  declare name: string
  declare description?: string | null
  declare parent?: Ref<Role> | null
  declare isSystem: Opt<boolean>
  declare permissions: Collection<RolePermission>
  declare version: Opt<number>
}

export const RoleSchema: EntitySchema<Role> = tenantEntity({
  class: Role,
  properties: {
    key: p.text(),
    name: p.text(),
    description: p.text().nullable(),
    parent: () => p.manyToOne(Role).ref().nullable(),
    isSystem: p.boolean().default(false),
    permissions: () => p.oneToMany(RolePermission).mappedBy('role').orphanRemoval(),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['key'] }],
})

/** Properties of the subject that must equal the given values; `$actor` stands for the person who asks. */
export type PermissionCondition = Readonly<Record<string, string | number | boolean>>

export class RolePermission extends TenantRow {
  declare role: Ref<Role>
  declare permission: Ref<Permission>
  declare condition?: PermissionCondition | null
}

export const RolePermissionSchema: EntitySchema<RolePermission> = tenantEntity({
  class: RolePermission,
  properties: {
    role: () => p.manyToOne(Role).ref().deleteRule('cascade'),
    permission: () => p.manyToOne(Permission).ref(),
    condition: p.json().nullable(),
  },
  uniques: [{ properties: ['role', 'permission'] }],
})
