import { openSecret, sealSecret } from '../../audit/index.ts'
import { now } from '../../kernel/clock.ts'
import { newId } from '../../kernel/id.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { ProviderAddressError, ProviderSecretMissingError, TokenLimitError } from './agents.errors.ts'
import { type AIProvider, AIProviderConfig } from './ai-provider-config.entity.ts'

export interface ProviderInput {
  readonly name: string
  readonly provider: AIProvider
  readonly model: string
  /** The key. It is sealed, and never shown again. */
  readonly secret?: string
  readonly baseUrl?: string
  readonly isDefault?: boolean
  readonly monthlyTokenLimit?: number
}

/** Takes a provider into use; the first one of an organization is its default. */
export async function configureProvider(em: ScopedEntityManager, input: ProviderInput): Promise<AIProviderConfig> {
  const { secret, baseUrl, monthlyTokenLimit, isDefault, ...told } = input
  if (baseUrl) assertAddress(told.provider, baseUrl)
  const isFirst = (await em.count(AIProviderConfig)) === 0
  if (isDefault) await dropDefault(em)
  const config = em.create(AIProviderConfig, {
    ...told,
    baseUrl: baseUrl ?? null,
    monthlyTokenLimit: monthlyTokenLimit ?? null,
    isDefault: isDefault ?? isFirst,
  })
  if (secret) config.secretRef = await sealSecret(em, config, secret)
  await em.flush()
  return config
}

export async function makeDefault(em: ScopedEntityManager, config: AIProviderConfig): Promise<void> {
  if (config.isDefault) return
  await dropDefault(em)
  config.isDefault = true
}

export async function replaceProviderSecret(em: ScopedEntityManager, config: AIProviderConfig, secret: string): Promise<void> {
  config.secretRef = await sealSecret(em, config, secret)
}

/** The key in clear, for the call that is about to be made with it. */
export async function providerSecretOf(em: ScopedEntityManager, config: AIProviderConfig): Promise<string> {
  if (!config.secretRef) throw new ProviderSecretMissingError(config.name)
  return openSecret(em, config, config.secretRef)
}

export interface TokensLeft {
  readonly used: number
  /** Undefined where there is no limit. */
  readonly left?: number
}

/**
 * Counts tokens against the provider's month, or refuses them and counts nothing. One statement, so however many ask at once, no more get
 * through than the limit allows.
 */
export async function useTokens(
  em: ScopedEntityManager,
  { id, tenantId, name, monthlyTokenLimit }: AIProviderConfig,
  tokens: number,
  at: Date = now(),
): Promise<TokensLeft> {
  const month = monthOf(at)
  const limit = monthlyTokenLimit ?? undefined
  const used = limit !== undefined && tokens > limit ? undefined : await count(em, [newId(), tenantId, id, month, tokens], limit)
  if (used === undefined) throw new TokenLimitError(name, limit!)
  return { used, ...(limit !== undefined && { left: limit - used }) }
}

export interface TokenSettlement {
  /** What was counted before it was known. */
  readonly counted: number
  readonly used: number
}

/** Corrects what was counted before a call by what it has used. It counts even beyond the limit: what is used is used. */
export async function settleTokens(
  em: ScopedEntityManager,
  { id }: AIProviderConfig,
  { counted, used }: TokenSettlement,
  at: Date = now(),
): Promise<void> {
  const sql = 'update token_count set tokens = greatest(tokens + ?, 0) where provider_id = ? and month = ?'
  await em.execute(sql, [used - counted, id, monthOf(at)])
}

function monthOf(at: Date): Date {
  return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1))
}

async function count(em: ScopedEntityManager, row: readonly unknown[], limit: number | undefined): Promise<number | undefined> {
  const [counted] = await em.execute<{ tokens: string }[]>(
    `insert into token_count as c (id, tenant_id, provider_id, month, tokens) values (?, ?, ?, ?, ?)
       on conflict (tenant_id, provider_id, month) do update set tokens = c.tokens + excluded.tokens
         where c.tokens + excluded.tokens <= coalesce(?, 'infinity'::float8)
       returning tokens`,
    [...row, limit ?? null],
  )
  return counted && Number(counted.tokens)
}

/** Written at once: there is one default at any moment, also while the next one is being written. */
async function dropDefault(em: ScopedEntityManager): Promise<void> {
  const before = await em.findOne(AIProviderConfig, { isDefault: true })
  if (!before) return
  before.isDefault = false
  await em.flush()
}

/** A key must not travel in clear; a model on one's own machine needs no wire. */
function assertAddress(provider: AIProvider, baseUrl: string): void {
  const protocol = URL.parse(baseUrl)?.protocol
  if (protocol !== 'https:' && !(provider === 'LOCAL' && protocol === 'http:')) throw new ProviderAddressError(provider)
}
