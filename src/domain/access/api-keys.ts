import { systemActor } from '../../context/index.ts'
import { now as currentTime } from '../../kernel/clock.ts'
import { digest } from '../../kernel/secret.ts'
import type { Daybook, ScopedEntityManager } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { Organization } from '../organizations/index.ts'
import { ApiKeyStateError, PermissionUnknownError } from './access.errors.ts'
import { newKey, recognizablePart, tenantOfKey } from './api-key-format.ts'
import { ApiKey, type ApiKeyEnvironment } from './api-key.entity.ts'
import { assertMayGrant } from './own-permissions.ts'
import { Permission } from './permission.entity.ts'

export interface ApiKeyInput {
  readonly name: string
  readonly environment: ApiKeyEnvironment
  /** Permissions, each of which whoever issues the key must have. */
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

export async function issueApiKey(em: ScopedEntityManager, { name, environment, scopes, expiresAt }: ApiKeyInput): Promise<IssuedApiKey> {
  await assertKnown(em, scopes)
  await assertMayGrant(em, scopes)
  return create(em, { name, environment, scopes: [...scopes], expiresAt: expiresAt ?? null })
}

/** A new key with the same scopes. The old one works until the overlap is over, so that programs can be changed one by one. */
export async function rotateApiKey(
  em: ScopedEntityManager,
  old: ApiKey,
  { overlap = overlapMs, now = currentTime() }: { readonly overlap?: number; readonly now?: Date } = {},
): Promise<IssuedApiKey> {
  if (!old.isUsable(now)) throw new ApiKeyStateError(old.revokedAt ? 'revoked' : 'expired')
  await assertMayGrant(em, old.scopes)
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
  old.expireBy(new Date(now.getTime() + overlap))
  return issued
}

export interface AuthenticatedKey {
  readonly apiKey: ApiKey
  readonly tenantId: string
}

/** Whose key this is, if it still opens anything. That it was used is remembered at most once a minute. */
export async function authenticateApiKey(daybook: Daybook, key: string, now = currentTime()): Promise<AuthenticatedKey | undefined> {
  const tenantId = tenantOfKey(key)
  if (!tenantId) return undefined
  const em = daybook.scope({ tenant: tenantId, actor: systemActor('authentication') })
  return em.transactional(async inner => {
    const apiKey = await inner.findOne(ApiKey, { keyHash: digest(key) })
    const organization = apiKey && (await inner.findOne(Organization, tenantId))
    if (!apiKey?.isUsable(now) || !organization?.isServed()) return undefined
    if (now.getTime() - (apiKey.lastUsedAt?.getTime() ?? 0) > usedEveryMs) apiKey.lastUsedAt = now
    return { apiKey, tenantId }
  })
}

type KeyProperties = Pick<ApiKey, 'name' | 'environment' | 'scopes'> &
  Partial<Pick<ApiKey, 'rateLimitMax' | 'rateLimitWindow'>> & { readonly expiresAt: Date | null; readonly rotatedFrom?: ApiKey }

function create(em: ScopedEntityManager, properties: KeyProperties): IssuedApiKey {
  const { tenantId, actor } = tenantScopeOf(em)
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

async function assertKnown(em: ScopedEntityManager, keys: readonly string[]): Promise<void> {
  const found = await em.find(Permission, { key: { $in: [...keys] } })
  const unknown = keys.filter(key => !found.some(permission => permission.key === key))
  if (unknown.length > 0) throw new PermissionUnknownError(unknown)
}
