import { idNamed } from '../../kernel/id.ts'
import type { RunSql } from '../../orm/index.ts'
import { type PermissionAction, permissionActions } from './permission.entity.ts'

/** `task:update` */
export type PermissionKey = `${string}:${Lowercase<PermissionAction>}`

/** Every action on every resource. */
export function permissionKeys(resources: readonly string[]): PermissionKey[] {
  return resources.flatMap(resource =>
    permissionActions.map(action => `${resource}:${action.toLowerCase() as Lowercase<PermissionAction>}` as const),
  )
}

/**
 * Brings the catalogue up to date after a migration. Ids follow from the key, so every database has the same ones, and permissions
 * that the model no longer knows stay: roles may still hold them.
 */
export function syncPermissionCatalogue(resources: readonly string[]): (run: RunSql) => Promise<void> {
  return async run => {
    const rows = permissionKeys(resources).map(key => {
      const [resource, action] = key.split(':')
      return `('${permissionId(key)}', '${key}', '${resource}', '${action!.toUpperCase()}')`
    })
    await run(`insert into permission (id, key, resource, action) values ${rows.join(', ')} on conflict (key) do nothing`)
  }
}

export function permissionId(key: PermissionKey): string {
  return idNamed(`permission:${key}`)
}
