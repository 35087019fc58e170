import type { ScopedEntityManager } from '../../orm/index.ts'
import { GrantExceedsOwnError } from './access.errors.ts'
import { apiKeyAllows } from './api-key-scopes.ts'
import { ApiKey } from './api-key.entity.ts'
import { implies } from './permission-decision.ts'
import { permissionsMissing } from './permissions.ts'

/**
 * Nobody hands out what they may not do themselves, nor for longer than they may: `null` is for good. Whose own permissions count follows from
 * the scope's actor: a person's, an API key's scopes; the system is bound by nothing.
 */
export function assertMayGrant(em: ScopedEntityManager, keys: readonly string[], until: Date | null): Promise<void> {
  return requireOwn(em, keys, until)
}

/** What somebody couldn't have given they can't take away. How long they may is no matter: what is taken away outlasts nothing. */
export function assertMayTake(em: ScopedEntityManager, keys: readonly string[]): Promise<void> {
  return requireOwn(em, keys)
}

async function requireOwn(em: ScopedEntityManager, keys: readonly string[], until?: Date | null): Promise<void> {
  const missing = await missingToActor(em, [...new Set(keys)], until)
  const widest = missing.filter(key => !missing.some(other => other !== key && implies(other, key)))
  if (widest.length > 0) throw new GrantExceedsOwnError(widest)
}

/** Whether the scope's actor may do something, whatever kind of actor it is. */
export async function actorMay(em: ScopedEntityManager, permission: string): Promise<boolean> {
  return (await missingToActor(em, [permission])).length === 0
}

async function missingToActor(em: ScopedEntityManager, keys: readonly string[], until?: Date | null): Promise<readonly string[]> {
  const { type, id } = em.boundScope!.actor
  if (keys.length === 0 || type === 'system') return []
  if (type === 'user') return permissionsMissing(em, id, keys, until)
  if (type !== 'api_key') return keys
  const apiKey = await em.findOneOrFail(ApiKey, id)
  return keys.filter(key => !apiKeyAllows(apiKey, key) || endsBefore(apiKey, until))
}

function endsBefore({ expiresAt }: ApiKey, until: Date | null | undefined): boolean {
  if (!expiresAt || until === undefined) return false
  return until === null || expiresAt < until
}
