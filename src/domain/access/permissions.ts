import { entityNameOf } from '../../audit/index.ts'
import { Row, type ScopedEntityManager } from '../../orm/index.ts'
import { PermissionDeniedError } from './access.errors.ts'
import { grantsColumns, grantsIn, type GrantsRow } from './grants-of.ts'
import { type Explanation, type GrantPath, grantPaths, type Grants, manageOf, type Subject, verdictOf } from './permission-decision.ts'
import { permissionActions } from './permission.entity.ts'

type Person = string | { readonly id: string }

/** Whether a person may do something in the scope's tenant: `can(em, user, 'task:update')`, or to one thing: `can(em, user, …, task)`. */
export async function can(em: ScopedEntityManager, person: Person, permission: string, subject?: Subject | Row): Promise<boolean> {
  return (await explain(em, person, permission, subject)).allowed
}

/** The same decision with its reason: the way from the person to the permission, or what is in it. */
export async function explain(em: ScopedEntityManager, person: Person, permission: string, subject?: Subject | Row): Promise<Explanation> {
  return verdictOf(await loadGrants(em, idOf(person), [permission]), permission, subjectOf(em, subject))
}

export async function assertCan(em: ScopedEntityManager, person: Person, permission: string, subject?: Subject | Row): Promise<void> {
  const { allowed, because } = await explain(em, person, permission, subject)
  if (!allowed) throw new PermissionDeniedError(permission, because)
}

/**
 * All that a person may do, each with the first way in which it is granted; what is denied is left out. Where a denial takes `manage`
 * away, the actions that remain are listed in its place.
 */
export async function getUserPermissions(em: ScopedEntityManager, person: Person): Promise<GrantPath[]> {
  const grants = await loadGrants(em, idOf(person))
  const first = new Map<string, GrantPath>()
  for (const granted of grantPaths(grants)) {
    for (const key of remaining(grants, granted.key)) if (!first.has(key)) first.set(key, { key, path: granted.path })
  }
  return [...first.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1))
}

/** Which of these permissions a person doesn't have, or not until then, in one statement however many they are. */
export async function permissionsMissing(
  em: ScopedEntityManager,
  person: Person,
  permissions: readonly string[],
  until?: Date | null,
): Promise<string[]> {
  const grants = await loadGrants(em, idOf(person), permissions, until)
  return permissions.filter(permission => !verdictOf(grants, permission).allowed)
}

function remaining(grants: Grants, key: string): string[] {
  if (verdictOf(grants, key).allowed) return [key]
  if (key !== manageOf(key)) return []
  const actions = permissionActions.map(action => `${key.slice(0, key.lastIndexOf(':'))}:${action.toLowerCase()}`)
  return actions.filter(action => verdictOf(grants, action).allowed)
}

/** An entity's relations are compared by their ids. */
function subjectOf(em: ScopedEntityManager, subject: Subject | Row | undefined): Subject | undefined {
  if (!(subject instanceof Row)) return subject
  return { type: entityNameOf(subject.constructor.name), id: subject.id, values: em.getComparator().prepareEntity(subject) }
}

/** One statement for everything that decides. For given permissions only the roles' rows that could grant them are read. */
async function loadGrants(em: ScopedEntityManager, userId: string, permissions?: readonly string[], until?: Date | null): Promise<Grants> {
  const { sql, params } = grantsColumns(userId, permissions, until)
  const [row] = await em.execute<GrantsRow[]>(`select ${sql}`, [...params])
  return grantsIn(row!, userId)
}

function idOf(person: Person): string {
  return typeof person === 'string' ? person : person.id
}
