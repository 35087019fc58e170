import type { ScopedEntityManager } from '../../orm/index.ts'
import { GrantExceedsOwnError } from './access.errors.ts'
import { apiKeyAllows } from './api-key-scopes.ts'
import { ApiKey } from './api-key.entity.ts'
import { implies } from './permission-decision.ts'
import { permissionsMissing } from './permissions.ts'

/**
 * Nobody hands out what they may not do themselves. Whose own permissions count follows from the scope's actor: a person's, an API key's
 * scopes; the system is bound by nothing.
 */
export async function assertMayGrant(em: ScopedEntityManager, keys: readonly string[]): Promise<void> {
  const missing = await missingToActor(em, [...new Set(keys)])
  const widest = missing.filter(key => !missing.some(other => other !== key && implies(other, key)))
  if (widest.length > 0) throw new GrantExceedsOwnError(widest)
}

/** Whether the scope's actor may do something, whatever kind of actor it is. */
export async function actorMay(em: ScopedEntityManager, permission: string): Promise<boolean> {
  return (await missingToActor(em, [permission])).length === 0
}

async function missingToActor(em: ScopedEntityManager, keys: readonly string[]): Promise<readonly string[]> {
  const { type, id } = em.boundScope!.actor
  if (keys.length === 0 || type === 'system') return []
  if (type === 'user') return permissionsMissing(em, id, keys)
  if (type !== 'api_key') return keys
  const apiKey = await em.findOneOrFail(ApiKey, id)
  return keys.filter(key => !apiKeyAllows(apiKey, key))
}
