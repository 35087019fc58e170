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
  /** What is denied to the person and takes the permission away. */
  readonly denials: readonly string[]
  /** The roles that count here, each line from the person up to its last ancestor. */
  readonly considered: readonly (readonly string[])[]
}

/** Decides by rules that can be read in order: members only, a denial beats everything, then whatever grants it first. */
export function verdictOf(grants: Grants, permission: string, subject?: Subject): Explanation {
  const status = grants.membership?.status
  if (status !== 'ACTIVE') return refused(status ? `the membership is ${status.toLowerCase()}` : 'the person is not a member')
  const considered = linesOf(grants, subject).flatMap(line => (line.length > 0 ? [line.at(-1)!.path] : []))
  const denials = grants.direct.filter(({ key, effect }) => effect === 'DENY' && takesAway(key, permission)).map(({ key }) => key)
  const [denied] = denials
  if (denied) return { ...refused(`${denied} is denied to the person`), path: ['denied', denied], denials, considered }
  const path = grantPaths(grants, subject).find(({ key }) => implies(key, permission))?.path
  if (!path) return { ...refused('no role or grant of the person has it'), considered }
  return { allowed: true, path, because: `granted by ${path.join(' → ')}`, denials, considered }
}

export interface GrantPath {
  readonly key: string
  readonly path: readonly string[]
}

/** Everything that is granted, whether or not a denial takes it back, each with its way from the person. */
export function grantPaths(grants: Grants, subject?: Subject): GrantPath[] {
  const direct = grants.direct.filter(({ effect }) => effect === 'ALLOW').map(({ key }) => ({ key, path: ['granted', key] }))
  const byRoles = linesOf(grants, subject)
    .flat()
    .flatMap(({ role, path }) =>
      role.permissions
        .filter(({ condition }) => !condition || meets(condition, grants.userId, subject))
        .map(({ key }) => ({ key, path: [...path, key] })),
    )
  return [...direct, ...byRoles]
}

/** `manage` on a resource implies every action on it. */
export function implies(held: string, wanted: string): boolean {
  return held === wanted || held === manageOf(wanted)
}

export function manageOf(key: string): string {
  return `${key.slice(0, key.lastIndexOf(':'))}:manage`
}

/** Whoever may not do one of the actions may not manage either: managing would be a way around. */
function takesAway(denied: string, wanted: string): boolean {
  return implies(denied, wanted) || implies(wanted, denied)
}

interface Step {
  readonly role: HeldRole
  readonly path: readonly string[]
}

/** The membership's role and the further ones that count for the subject, each with its ancestors. */
function linesOf(grants: Grants, subject: Subject | undefined): Step[][] {
  const further = grants.userRoles
    .filter(({ scope }) => !scope || (scope.type === subject?.type && scope.id === subject.id))
    .map(({ roleId, scope }) => lineOf(grants, scope ? `role for ${scope.type}` : 'role', roleId))
  return [lineOf(grants, 'membership', grants.membership?.roleId), ...further]
}

/** Walks up the parents. A circle can't be made, and would end the walk rather than the process. */
function lineOf({ roles }: Grants, start: string, roleId: string | undefined): Step[] {
  const steps: Step[] = []
  const visited = new Set<string>()
  let path: readonly string[] = [start]
  for (let role = roles.get(roleId ?? ''); role && !visited.has(role.id); role = roles.get(role.parentId ?? '')) {
    visited.add(role.id)
    path = [...path, role.key]
    steps.push({ role, path })
  }
  return steps
}

function meets(condition: PermissionCondition, userId: string, subject: Subject | undefined): boolean {
  const { values } = subject ?? {}
  if (!values) return false
  return Object.entries(condition).every(([property, expected]) => values[property] === (expected === '$actor' ? userId : expected))
}

function refused(because: string): Explanation {
  return { allowed: false, path: [], because, denials: [], considered: [] }
}
