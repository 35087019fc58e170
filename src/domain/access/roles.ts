import { LockMode, UniqueConstraintViolationException } from '@mikro-orm/core'
import { now } from '../../kernel/clock.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { BuiltinRoleImmutableError, PermissionUnknownError, RoleCycleError, RoleInUseError, RoleKeyTakenError } from './access.errors.ts'
import { Invitation } from './invitation.entity.ts'
import { Membership } from './membership.entity.ts'
import { assertMayGrant, assertMayTake } from './own-permissions.ts'
import { Permission } from './permission.entity.ts'
import { Role, RolePermission } from './role.entity.ts'
import { UserRole } from './user-role.entity.ts'

export interface RoleInput {
  readonly key: string
  readonly name: string
  readonly description?: string
  readonly parent?: string
  readonly permissions?: readonly string[]
}

/** A role of the organization's own. Whoever makes it can put into it only what they may do themselves. */
export async function createRole(em: ScopedEntityManager, input: RoleInput): Promise<Role> {
  const { key, name, description, parent, permissions = [] } = input
  if (await em.findOne(Role, { key })) throw new RoleKeyTakenError(key)
  const role = em.create(Role, { key, name, description: description ?? null })
  await setPermissions(em, role, permissions)
  // Nothing inherits from a new role yet, so this can't close a circle.
  if (parent) await adopt(em, role, await em.findOneOrFail(Role, { key: parent }))
  try {
    await em.flush()
  } catch (error) {
    // Somebody made the same role in the same moment.
    if (error instanceof UniqueConstraintViolationException) throw new RoleKeyTakenError(key)
    throw error
  }
  return role
}

export interface RoleChanges {
  readonly name?: string
  readonly description?: string | null
  /** A role's key, or null to inherit from none. */
  readonly parent?: string | null
  /** All that the role shall have of its own afterwards. */
  readonly permissions?: readonly string[]
}

/** Who has the role loses what is taken out of it, so what somebody couldn't put in they can't take out either. */
export async function updateRole(em: ScopedEntityManager, role: Role, changes: RoleChanges): Promise<void> {
  requireCustom(role)
  if (changes.name !== undefined) role.name = changes.name
  if (changes.description !== undefined) role.description = changes.description
  // They are rows of their own, and whoever saw the role without them has seen another version of it.
  if (changes.permissions && (await setPermissions(em, role, changes.permissions))) role.updatedAt = now()
  if (changes.parent === null) await disown(em, role)
  else if (changes.parent) await inherit(em, role, await em.findOneOrFail(Role, { key: changes.parent }))
}

export async function deleteRole(em: ScopedEntityManager, role: Role): Promise<void> {
  requireCustom(role)
  // Whoever is just giving the role to somebody is waited for, and whoever comes later finds it gone.
  await em.lock(role, LockMode.PESSIMISTIC_WRITE)
  const places = await Promise.all([
    em.count(Membership, { role }),
    em.count(UserRole, { role }),
    em.count(Role, { parent: role }),
    em.count(Invitation, { role, status: 'PENDING' }),
  ])
  const users = places.reduce((sum, count) => sum + count, 0)
  if (users > 0) throw new RoleInUseError(role.key, users)
  em.remove(role)
}

/**
 * Lets a role have all that another has. Two such changes could close a circle that neither sees, so they take turns, tenant by tenant,
 * and each looks at the chain as it is when its turn has come, with what its own transaction has changed.
 */
export async function inherit(em: ScopedEntityManager, role: Role, parent: Role): Promise<void> {
  requireCustom(role)
  await em.flush()
  await em.execute(`select pg_advisory_xact_lock(hashtextextended('daybook:roles:' || ?, 0))`, [role.tenantId])
  const chain = await em.execute<{ id: string }[]>(`${chainCte} select id from chain`, [parent.id])
  if (parent === role || chain.some(({ id }) => id === role.id)) throw new RoleCycleError(role.key, parent.key)
  await adopt(em, role, parent)
}

/** Everything that a role grants, its ancestors' permissions included. */
export async function permissionKeysOf(em: ScopedEntityManager, role: Role): Promise<string[]> {
  const rows = await em.execute<{ key: string }[]>(
    `${chainCte} select distinct p.key from chain join role_permission rp on rp.role_id = chain.id join permission p on p.id = rp.permission_id order by 1`,
    [role.id],
  )
  return rows.map(({ key }) => key)
}

/** `union`, not `union all`: a circle would end here. */
const chainCte =
  'with recursive chain as (select id, parent_id from role where id = ? union select r.id, r.parent_id from role r join chain c on r.id = c.parent_id)'

async function adopt(em: ScopedEntityManager, role: Role, parent: Role): Promise<void> {
  await assertMayGrant(em, await permissionKeysOf(em, parent), null)
  await disown(em, role)
  role.parent = em.getReference(Role, parent.id, { wrapped: true })
}

async function disown(em: ScopedEntityManager, role: Role): Promise<void> {
  if (role.parent) await assertMayTake(em, await permissionKeysOf(em, await role.parent.loadOrFail()))
  role.parent = null
}

/** Whether that changes anything. */
async function setPermissions(em: ScopedEntityManager, role: Role, keys: readonly string[]): Promise<boolean> {
  const found = await em.find(Permission, { key: { $in: [...keys] } })
  const unknown = keys.filter(key => !found.some(permission => permission.key === key))
  if (unknown.length > 0) throw new PermissionUnknownError(unknown)
  const held = await em.find(RolePermission, { role: role.id }, { populate: ['permission'] })
  const added = found.filter(({ id }) => !held.some(({ permission }) => permission.id === id))
  const gone = held.filter(({ permission }) => !keys.includes(permission.$.key))
  const givenKeys = added.map(({ key }) => key)
  const takenKeys = gone.map(({ permission }) => permission.$.key)
  await assertMayGrant(em, givenKeys, null)
  await assertMayTake(em, takenKeys)
  for (const one of gone) em.remove(one)
  for (const permission of added) em.create(RolePermission, { role, permission })
  return added.length + gone.length > 0
}

function requireCustom(role: Role): void {
  if (role.isSystem) throw new BuiltinRoleImmutableError(role.key)
}
