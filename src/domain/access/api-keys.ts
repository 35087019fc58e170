import { LockMode } from '@mikro-orm/core'
import { systemActor } from '../../context/index.ts'
import { now as currentTime } from '../../kernel/clock.ts'
import { digest } from '../../kernel/secret.ts'
import { type Daybook, inTurn, lockedAfresh, type ScopedEntityManager } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { ApiKeyStateError, PermissionDeniedError } from './access.errors.ts'
import { type Admission, admit } from './admission.ts'
import { newKey, recognizablePart, tenantOfKey } from './api-key-format.ts'
import { ApiKey, type ApiKeyEnvironment } from './api-key.entity.ts'
import { assertMayGrant, assertMayTake } from './own-permissions.ts'
import { spelledOut } from './permission-patterns.ts'

export interface ApiKeyInput {
  readonly name: string
  readonly environment: ApiKeyEnvironment
  /** Permissions, or patterns like `*:read` and `task:*`. Whoever issues the key must have each of them. */
  readonly scopes: readonly string[]
  readonly expiresAt?: Date
}

export interface IssuedApiKey {
  readonly apiKey: ApiKey
  /** The key itself, shown this once. */
  readonly secret: string
}

const usedEveryMs = 60_000
const overlapMs = 24 * 3_600_000

export async function issueApiKey(em: ScopedEntityManager, { name, environment, expiresAt, ...input }: ApiKeyInput): Promise<IssuedApiKey> {
  const scopes = await spelledOut(em, input.scopes)
  await assertMayGrant(em, scopes, expiresAt ?? null)
  return create(em, { name, environment, scopes, expiresAt: expiresAt ?? null })
}

/** A new key with the same scopes, the only one. The old one works until the overlap is over, so that programs can be changed one by one. */
export function rotateApiKey(
  em: ScopedEntityManager,
  { id }: Pick<ApiKey, 'id'>,
  { overlap = overlapMs, now = currentTime() }: { readonly overlap?: number; readonly now?: Date } = {},
): Promise<IssuedApiKey> {
  return inTurn(em, async inner => {
    const old = await lockedAfresh(inner, ApiKey, id)
    if (!old.isUsable(now)) throw new ApiKeyStateError(old.revokedAt ? 'revoked' : 'expired')
    // Another successor would end with this overlap, of which whoever uses it wouldn't know.
    if ((await inner.count(ApiKey, { rotatedFrom: id })) > 0) throw new ApiKeyStateError('rotated')
    await assertMayGrant(inner, old.scopes, old.expiresAt ?? null)
    return succeed(inner, old, new Date(now.getTime() + overlap))
  })
}

function succeed(em: ScopedEntityManager, old: ApiKey, until: Date): IssuedApiKey {
  const { name, environment, scopes, expiresAt, rateLimitMax, rateLimitWindow } = old
  const issued = create(em, {
    name,
    environment,
    scopes: [...scopes],
    expiresAt: expiresAt ?? null,
    rateLimitMax,
    rateLimitWindow,
    rotatedFrom: old,
  })
  old.expireBy(until)
  return issued
}

export async function revokeApiKey(em: ScopedEntityManager, apiKey: ApiKey): Promise<void> {
  // What is in one's own hands one may end, a program its key too.
  const isOwn = [apiKey.id, apiKey.createdBy?.id].includes(em.boundScope!.actor.id)
  if (!isOwn) await assertMayTake(em, apiKey.scopes)
  apiKey.revoke(currentTime())
}

export interface AuthenticatedKey {
  readonly apiKey: ApiKey
  readonly tenantId: string
  readonly admission: Admission
}

/** Whose key this is, if it still opens anything. That it was used is remembered at most once a minute. */
export async function authenticateApiKey(daybook: Daybook, key: string, now = currentTime()): Promise<AuthenticatedKey | undefined> {
  const tenantId = tenantOfKey(key)
  if (!tenantId) return undefined
  const scope = { tenant: tenantId, actor: systemActor('authentication') }
  const usable = async (em: ScopedEntityManager) => {
    const admission = await admit(em, { key }, tenantId, [], daybook.region, now)
    const apiKey = admission?.apiKey && (await em.findOne(ApiKey, admission.apiKey.id))
    return apiKey ? { apiKey, admission } : undefined
  }
  const found = await daybook.transact(scope, usable, { readOnly: true })
  if (!found || !isUseForgotten(found.apiKey, now)) return found && { ...found, tenantId }
  // What is noted gives the row another version, and by that the next request knows that nothing has changed: so it is looked at again.
  const noted = daybook.transact(scope, async em => {
    await rememberUse(em, found.apiKey.id, now)
    await em.flush()
    return usable(em)
  })
  const again = await noted.catch(() => found)
  return again && { ...again, tenantId }
}

/** Worth a try, never a wait or a refused request: whoever holds the row may be remembering the same, or may take long. */
async function rememberUse(em: ScopedEntityManager, id: string, now: Date): Promise<void> {
  const apiKey = await em.findOne(ApiKey, id, { lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE })
  if (apiKey && isUseForgotten(apiKey, now)) apiKey.lastUsedAt = now
}

function isUseForgotten({ lastUsedAt }: ApiKey, now: Date): boolean {
  return now.getTime() - (lastUsedAt?.getTime() ?? 0) > usedEveryMs
}

type KeyProperties = Pick<ApiKey, 'name' | 'environment' | 'scopes'> &
  Partial<Pick<ApiKey, 'rateLimitMax' | 'rateLimitWindow'>> & { readonly expiresAt: Date | null; readonly rotatedFrom?: ApiKey }

function create(em: ScopedEntityManager, properties: KeyProperties): IssuedApiKey {
  const { tenantId, actor } = tenantScopeOf(em)
  // Whoever stole one would have another by it, and go on with that when the first is revoked.
  if (actor.type === 'api_key') throw new PermissionDeniedError('api-key:create', 'people issue API keys, and no key does')
  const secret = newKey(tenantId, properties.environment)
  const apiKey = em.create(ApiKey, {
    ...properties,
    prefix: recognizablePart(secret),
    keyHash: digest(secret),
    createdBy: actor.type === 'user' ? em.getReference(User, actor.id) : null,
  })
  return { apiKey, secret }
}

function tenantScopeOf(em: ScopedEntityManager) {
  const scope = em.boundScope
  if (scope?.kind !== 'tenant') throw new ApiKeyStateError('to be issued in a tenant scope')
  return scope
}
