import type { PermissionCondition } from './role.entity.ts'

/** What a permission is asked for: `type` is a resource, `values` are the properties that conditions look at. */
export interface Subject {
  readonly type: string
  readonly id: string
  readonly values?: Readonly<Record<string, unknown>>
}

export interface HeldPermission {
  readonly key: string
  readonly condition?: PermissionCondition | null
}

export interface HeldRole {
  readonly id: string
  readonly key: string
  readonly parentId?: string | null
  readonly permissions: readonly HeldPermission[]
}

/** All that decides about one person, as plain data; what has expired is left out already. */
export interface Grants {
  readonly userId: string
  readonly membership?: { readonly status: string; readonly roleId: string }
  readonly roles: ReadonlyMap<string, HeldRole>
  readonly userRoles: readonly { readonly roleId: string; readonly scope?: { readonly type: string; readonly id: string } }[]
  readonly direct: readonly { readonly key: string; readonly effect: 'ALLOW' | 'DENY' }[]
}

export interface Explanation {
  readonly allowed: boolean
  /** From the person to the permission: `membership`, `OWNER`, `ADMIN`, `task:manage`. Empty when nothing grants it. */
  readonly path: readonly string[]
  readonly because: string
}

/** Decides by rules that can be read in order: members only, a denial beats everything, then whatever grants it first. */
export function decide(grants: Grants, permission: string, subject?: Subject): Explanation {
  const status = grants.membership?.status
  if (status !== 'ACTIVE') return refused(status ? `the membership is ${status.toLowerCase()}` : 'the person is not a member')
  const denial = grants.direct.find(({ key, effect }) => effect === 'DENY' && implies(key, permission))
  if (denial) return refused(`${denial.key} is denied to the person`, ['denied', denial.key])
  const path = grantPaths(grants, subject).find(({ key }) => implies(key, permission))?.path
  return path ? { allowed: true, path, because: `granted by ${path.join(' → ')}` } : refused('no role or grant of the person has it')
}

export interface GrantPath {
  readonly key: string
  readonly path: readonly string[]
}

/** Everything that is granted, whether or not a denial takes it back, each with its way from the person. */
export function grantPaths(grants: Grants, subject?: Subject): GrantPath[] {
  const direct = grants.direct.filter(({ effect }) => effect === 'ALLOW').map(({ key }) => ({ key, path: ['granted', key] }))
  const byMembership = pathsOfRole(grants, ['membership'], grants.membership?.roleId, subject)
  const byRoles = grants.userRoles
    .filter(({ scope }) => !scope || (scope.type === subject?.type && scope.id === subject.id))
    .flatMap(({ roleId, scope }) => pathsOfRole(grants, [scope ? `role for ${scope.type}` : 'role'], roleId, subject))
  return [...direct, ...byMembership, ...byRoles]
}

/** `manage` on a resource implies every action on it. */
export function implies(held: string, wanted: string): boolean {
  return held === wanted || held === `${wanted.slice(0, wanted.lastIndexOf(':'))}:manage`
}

/** Walks up the parents. A circle can't be made, and would end the walk rather than the process. */
function pathsOfRole(grants: Grants, start: readonly string[], roleId: string | undefined | null, subject?: Subject): GrantPath[] {
  const found: GrantPath[] = []
  const visited = new Set<string>()
  let path = start
  for (let role = grants.roles.get(roleId ?? ''); role && !visited.has(role.id); role = grants.roles.get(role.parentId ?? '')) {
    visited.add(role.id)
    path = [...path, role.key]
    const met = role.permissions.filter(({ condition }) => !condition || meets(condition, grants.userId, subject))
    found.push(...met.map(({ key }) => ({ key, path: [...path, key] })))
  }
  return found
}

function meets(condition: PermissionCondition, userId: string, subject: Subject | undefined): boolean {
  const { values } = subject ?? {}
  if (!values) return false
  return Object.entries(condition).every(([property, expected]) => values[property] === (expected === '$actor' ? userId : expected))
}

function refused(because: string, path: readonly string[] = []): Explanation {
  return { allowed: false, path, because }
}
