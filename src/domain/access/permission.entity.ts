import { type EntitySchema, p } from '@mikro-orm/core'
import { globalEntity, Row } from '../../orm/index.ts'

export const permissionActions = ['READ', 'CREATE', 'UPDATE', 'DELETE', 'MANAGE', 'APPROVE', 'EXPORT'] as const
export type PermissionAction = (typeof permissionActions)[number]

/** One entry of the catalogue of what can be allowed, the same for every tenant: `resource:action`. `manage` implies the others. */
export class Permission extends Row {
  declare key: string
  declare resource: string
  declare action: PermissionAction
  declare description?: string | null
}

export const PermissionSchema: EntitySchema<Permission> = globalEntity({
  class: Permission,
  properties: {
    key: p.text().unique(),
    resource: p.text(),
    action: p.enum(permissionActions),
    description: p.text().nullable(),
  },
  access: 'read',
})
