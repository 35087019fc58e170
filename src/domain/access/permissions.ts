import { now } from '../../kernel/clock.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { PermissionDeniedError } from './access.errors.ts'
import {
  decide,
  type Explanation,
  type GrantPath,
  grantPaths,
  type Grants,
  type HeldRole,
  implies,
  type Subject,
} from './permission-decision.ts'

type Person = string | { readonly id: string }

/** Whether a person may do something in the scope's tenant: `can(em, user, 'task:update')`. */
export async function can(em: ScopedEntityManager, person: Person, permission: string, subject?: Subject): Promise<boolean> {
  return (await explain(em, person, permission, subject)).allowed
}

/** The same decision with its reason: the way from the person to the permission, or what is in it. */
export async function explain(em: ScopedEntityManager, person: Person, permission: string, subject?: Subject): Promise<Explanation> {
  return decide(await loadGrants(em, idOf(person), permission), permission, subject)
}

export async function assertCan(em: ScopedEntityManager, person: Person, permission: string, subject?: Subject): Promise<void> {
  const { allowed, because } = await explain(em, person, permission, subject)
  if (!allowed) throw new PermissionDeniedError(permission, because)
}

/** All that a person may do, each with the first way in which it is granted; what is denied is left out. */
export async function getUserPermissions(em: ScopedEntityManager, person: Person): Promise<GrantPath[]> {
  const grants = await loadGrants(em, idOf(person))
  const first = new Map<string, GrantPath>()
  for (const granted of grantPaths(grants)) {
    if (!first.has(granted.key) && decide(grants, granted.key).allowed) first.set(granted.key, granted)
  }
  return [...first.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1))
}

/** One statement for everything that decides. For a single permission only the rows that could grant it are read. */
async function loadGrants(em: ScopedEntityManager, userId: string, permission?: string): Promise<Grants> {
  const wanted = permission ? [permission, `${permission.slice(0, permission.lastIndexOf(':'))}:manage`] : []
  const at = now()
  const [row] = await em.execute<GrantsRow[]>(grantsSql(wanted.length > 0), [userId, userId, at, ...wanted, ...wanted, userId, at])
  const { membership, roles, user_roles: userRoles, direct } = row!
  return {
    userId,
    ...(membership && { membership }),
    roles: new Map(roles.map(role => [role.id, role])),
    userRoles: userRoles.map(({ roleId, type, id }) => (type && id ? { roleId, scope: { type, id } } : { roleId })),
    direct: direct.filter(({ key }) => !permission || implies(key, permission)),
  }
}

interface GrantsRow {
  readonly membership: Grants['membership'] | null
  readonly roles: HeldRole[]
  readonly user_roles: { roleId: string; type: string | null; id: string | null }[]
  readonly direct: { key: string; effect: 'ALLOW' | 'DENY' }[]
}

/** Reads under the tenant's policies, so every table answers for this tenant alone. */
function grantsSql(narrowed: boolean): string {
  const only = narrowed ? 'and p.key in (?, ?)' : ''
  return `select
    (select json_build_object('status', status, 'roleId', role_id) from membership where user_id = ?) as membership,
    (select coalesce(json_agg(json_build_object('roleId', role_id, 'type', scope_type, 'id', scope_id)), '[]')
       from user_role where user_id = ? and (expires_at is null or expires_at > ?)) as user_roles,
    (select coalesce(json_agg(json_build_object('id', r.id, 'key', r.key, 'parentId', r.parent_id, 'permissions',
        (select coalesce(json_agg(json_build_object('key', p.key, 'condition', rp.condition) order by p.key), '[]')
           from role_permission rp join permission p on p.id = rp.permission_id where rp.role_id = r.id ${only}))), '[]') from role r) as roles,
    (select coalesce(json_agg(json_build_object('key', p.key, 'effect', up.effect) order by p.key), '[]')
       from user_permission up join permission p on p.id = up.permission_id
       where true ${only} and up.user_id = ? and (up.expires_at is null or up.expires_at > ?)) as direct`
}

function idOf(person: Person): string {
  return typeof person === 'string' ? person : person.id
}
