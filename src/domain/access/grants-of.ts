import { now } from '../../kernel/clock.ts'
import { currentTenantSql, type Question, type StoredRow } from '../../orm/index.ts'
import { type Grants, type HeldRole, manageOf } from './permission-decision.ts'

/** What `grantsColumns` selects. */
export interface GrantsRow extends StoredRow {
  readonly membership: Grants['membership'] | null
  readonly roles: HeldRole[]
  readonly user_roles: { roleId: string; type: string | null; id: string | null }[]
  readonly direct: { key: string; effect: 'ALLOW' | 'DENY' }[]
}

/**
 * Everything that decides about a person, as columns of a select; about these permissions, or about all. With `until`, what is granted counts
 * only if it lasts until then, or for good (`null`); what is denied counts in any case. Every table answers for this tenant
 * alone, by its policy and by what is asked: whoever were let past the policies by mistake shall not let others in.
 */
export function grantsColumns(userId: string, permissions?: readonly string[], until?: Date | null): Question {
  const at = now()
  const granted = lasting(at, until)
  const wanted = permissions && [...new Set(permissions.flatMap(permission => [permission, manageOf(permission)]))]
  const only = wanted ? `and p.key = any(array[${wanted.map(() => '?').join(', ')}]::text[])` : ''
  const sql = `
    (select json_build_object('status', status, 'roleId', role_id) from membership where user_id = ? and tenant_id = ${currentTenantSql}) as membership,
    (select coalesce(json_agg(json_build_object('roleId', role_id, 'type', scope_type, 'id', scope_id)), '[]')
       from user_role where user_id = ? and tenant_id = ${currentTenantSql} and ${granted.sql}) as user_roles,
    (select coalesce(json_agg(json_build_object('id', r.id, 'key', r.key, 'parentId', r.parent_id, 'permissions',
        (select coalesce(json_agg(json_build_object('key', p.key, 'condition', rp.condition) order by p.key), '[]')
           from role_permission rp join permission p on p.id = rp.permission_id where rp.role_id = r.id ${only}))), '[]') from role r where r.tenant_id = ${currentTenantSql}) as roles,
    (select coalesce(json_agg(json_build_object('key', p.key, 'effect', up.effect) order by p.key), '[]')
       from user_permission up join permission p on p.id = up.permission_id
       where up.user_id = ? and up.tenant_id = ${currentTenantSql} and (${granted.sql} or up.effect = 'DENY' and up.expires_at > ?)) as direct`
  return { sql, params: [userId, userId, ...granted.params, ...(wanted ?? []), userId, ...granted.params, at] }
}

/** Of what has an end, which isn't over, or not before `until`. */
function lasting(at: Date, until: Date | null | undefined): Question {
  if (until === null) return { sql: 'expires_at is null', params: [] }
  return until && until > at
    ? { sql: '(expires_at is null or expires_at >= ?)', params: [until] }
    : { sql: '(expires_at is null or expires_at > ?)', params: [at] }
}

export function grantsIn({ membership, roles, user_roles: userRoles, direct }: GrantsRow, userId: string): Grants {
  return {
    userId,
    ...(membership && { membership }),
    roles: new Map(roles.map(role => [role.id, role])),
    userRoles: userRoles.map(({ roleId, type, id }) => (type && id ? { roleId, scope: { type, id } } : { roleId })),
    direct,
  }
}
