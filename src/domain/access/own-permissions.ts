import type { ScopedEntityManager } from '../../orm/index.ts'
import { GrantExceedsOwnError } from './access.errors.ts'
import { apiKeyAllows } from './api-key-scopes.ts'
import { ApiKey } from './api-key.entity.ts'
import { implies } from './permission-decision.ts'
import { can } from './permissions.ts'

/**
 * Nobody hands out what they may not do themselves. Whose own permissions count follows from the scope's actor: a person's, an API key's
 * scopes; the system is bound by nothing.
 */
export async function assertMayGrant(em: ScopedEntityManager, keys: readonly string[]): Promise<void> {
  const distinct = [...new Set(keys)].filter(key => !keys.some(other => other !== key && implies(other, key)))
  const missing: string[] = []
  for (const key of distinct) if (!(await actorMay(em, key))) missing.push(key)
  if (missing.length > 0) throw new GrantExceedsOwnError(missing)
}

/** Whether the scope's actor may do something, whatever kind of actor it is. */
export async function actorMay(em: ScopedEntityManager, permission: string): Promise<boolean> {
  const { type, id } = em.boundScope!.actor
  if (type === 'user') return can(em, id, permission)
  if (type === 'api_key') return apiKeyAllows(await em.findOneOrFail(ApiKey, id), permission)
  return type === 'system'
}
