import type { ScopedEntityManager } from '../../orm/index.ts'
import { ownOrganization } from '../organizations/internal.ts'
import { type BuiltinRole, builtinRoles } from './builtin-roles.ts'
import { frenchRoles } from './builtin-roles.fr.ts'
import { names } from './permission-patterns.ts'
import { Permission } from './permission.entity.ts'
import { Role, RolePermission } from './role.entity.ts'

/**
 * Brings the built-in roles of the scope's tenant in step with the catalogue: makes what is missing, and adds what the model has learnt
 * since. Run when an organization is made, and again after an upgrade; roles that are made get names in the organization's language.
 */
export async function ensureBuiltinRoles(em: ScopedEntityManager): Promise<Map<string, Role>> {
  const isFrench = (await ownOrganization(em))?.speaks('fr') ?? false
  const catalogue = await em.findAll(Permission, { orderBy: { key: 'asc' } })
  const existing = await em.find(Role, { isSystem: true }, { populate: ['permissions'] })
  const roles = new Map<string, Role>(existing.map(role => [role.key, role]))
  for (const builtin of builtinRoles) {
    const role = roles.get(builtin.key) ?? createRole(em, isFrench ? { ...builtin, ...frenchRoles[builtin.key] } : builtin, roles)
    roles.set(builtin.key, role)
    addPermissions(em, role, resolve(builtin, catalogue))
  }
  return roles
}

function createRole(em: ScopedEntityManager, { key, name, description, parent }: BuiltinRole, roles: Map<string, Role>): Role {
  return em.create(Role, { key, name, description, isSystem: true, parent: parent ? roles.get(parent)! : null })
}

function addPermissions(em: ScopedEntityManager, role: Role, permissions: readonly Permission[]): void {
  const held = new Set(role.permissions.getItems().map(({ permission }) => permission.id))
  for (const permission of permissions) if (!held.has(permission.id)) em.create(RolePermission, { role, permission })
}

function resolve({ permissions, except = [] }: BuiltinRole, catalogue: readonly Permission[]): Permission[] {
  return catalogue.filter(({ key, resource }) =>
    permissions.some(pattern => names(pattern, key) && !(pattern.startsWith('*') && except.includes(resource))),
  )
}
