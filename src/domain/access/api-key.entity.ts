import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { User } from '../identity/index.ts'

export const apiKeyEnvironments = ['LIVE', 'TEST'] as const
export type ApiKeyEnvironment = (typeof apiKeyEnvironments)[number]

/** A credential of a program. The key is shown once; `prefix` is what people recognise it by afterwards. */
export class ApiKey extends TenantRow {
  declare name: string
  declare environment: ApiKeyEnvironment
  declare prefix: string
  declare keyHash: string
  declare scopes: string[]
  declare createdBy?: Ref<User> | null
  declare expiresAt?: Date | null
  declare lastUsedAt?: Date | null
  declare revokedAt?: Date | null
  declare rotatedFrom?: Ref<ApiKey> | null
  declare rateLimitMax: Opt<number>
  declare rateLimitWindow: Opt<number>

  isUsable(at: Date): boolean {
    return isUsableAt(this, at)
  }

  revoke(at: Date): void {
    this.revokedAt ??= at
  }

  /** Stops working at that time, unless it stops earlier anyway. */
  expireBy(at: Date): void {
    if (!this.expiresAt || this.expiresAt > at) this.expiresAt = at
  }
}

/** The same of a key that was only looked at. */
export function isUsableAt({ revokedAt, expiresAt }: Pick<ApiKey, 'revokedAt' | 'expiresAt'>, at: Date): boolean {
  return !revokedAt && !(expiresAt && expiresAt <= at)
}

export const ApiKeySchema: EntitySchema<ApiKey> = tenantEntity({
  class: ApiKey,
  properties: {
    name: p.text(),
    environment: p.enum(apiKeyEnvironments),
    prefix: p.text(),
    keyHash: p.text().hidden(),
    scopes: p.array(),
    createdBy: () => p.manyToOne(User).ref().nullable(),
    expiresAt: moment().nullable(),
    lastUsedAt: moment().nullable(),
    revokedAt: moment().nullable(),
    rotatedFrom: () => p.manyToOne(ApiKey).ref().nullable(),
    rateLimitMax: p.integer().default(600),
    /** Seconds. */
    rateLimitWindow: p.integer().default(60),
  },
  uniques: [{ properties: ['keyHash'] }],
  audit: { secret: ['keyHash'] },
})
