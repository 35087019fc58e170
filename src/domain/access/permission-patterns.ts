import type { ScopedEntityManager } from '../../orm/index.ts'
import { PermissionUnknownError } from './access.errors.ts'
import { Permission } from './permission.entity.ts'

/** `task:update`, `*:read`, or `task:*`, which is `task:manage`: whether a pattern names a permission of the catalogue. */
export function names(pattern: string, key: string): boolean {
  const [resource, action] = pattern.split(':')
  const [ofResource, ofAction] = key.split(':')
  return (resource === '*' || resource === ofResource) && (action === '*' ? 'manage' : action) === ofAction
}

/** Spells patterns out, so that what was given doesn't grow when the catalogue does. One that names nothing is refused. */
export async function spelledOut(em: ScopedEntityManager, patterns: readonly string[]): Promise<string[]> {
  const keys = (await em.findAll(Permission, { orderBy: { key: 'asc' } })).map(({ key }) => key)
  const unknown = patterns.filter(pattern => !keys.some(key => names(pattern, key)))
  if (unknown.length > 0) throw new PermissionUnknownError(unknown)
  return keys.filter(key => patterns.some(pattern => names(pattern, key)))
}
