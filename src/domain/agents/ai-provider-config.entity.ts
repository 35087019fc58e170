import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'

export const aiProviders = ['OPENAI', 'ANTHROPIC', 'GOOGLE', 'LOCAL', 'OTHER'] as const
export type AIProvider = (typeof aiProviders)[number]

/** A model that an organization's agents may ask, and what it takes to be let in. */
export class AIProviderConfig extends TenantRow {
  declare name: string
  declare provider: AIProvider
  declare model: string
  /** The key, sealed for this row. */
  declare secretRef?: string | null
  declare baseUrl?: string | null
  declare isDefault: Opt<boolean>
  declare monthlyTokenLimit?: number | null
  declare version: Opt<number>
}

export const AIProviderConfigSchema: EntitySchema<AIProviderConfig> = tenantEntity({
  class: AIProviderConfig,
  tableName: 'ai_provider_config',
  properties: {
    name: p.text(),
    provider: p.enum(aiProviders),
    model: p.text(),
    secretRef: p.text().nullable().hidden(),
    baseUrl: p.text().nullable(),
    isDefault: p.boolean().default(false),
    monthlyTokenLimit: p.bigint('number').nullable(),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['name'] }, { name: 'ai_provider_config_one_default', properties: ['isDefault'], where: 'is_default' }],
  checks: [
    { name: 'ai_provider_config_limit', expression: 'monthly_token_limit >= 0' },
    { name: 'ai_provider_config_address', expression: `base_url is not null or (provider <> 'LOCAL' and provider <> 'OTHER')` },
  ],
  audit: { secret: ['secretRef'] },
})

/** What was used of a provider in a month. It changes with each use, so the log leaves it out. */
export class TokenCount extends TenantRow {
  declare provider: Ref<AIProviderConfig>
  declare month: Date
  declare tokens: Opt<number>
}

export const TokenCountSchema: EntitySchema<TokenCount> = tenantEntity({
  class: TokenCount,
  properties: {
    provider: () => p.manyToOne(AIProviderConfig).ref().deleteRule('cascade'),
    month: moment(),
    tokens: p.bigint('number').default(0),
  },
  uniques: [{ properties: ['provider', 'month'] }],
  checks: [{ name: 'token_count_tokens', expression: 'tokens >= 0' }],
  audit: false,
})
