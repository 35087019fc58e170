import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'

export const idempotencyStatuses = ['IN_FLIGHT', 'DONE'] as const
export type IdempotencyStatus = (typeof idempotencyStatuses)[number]

/** What was answered to a request, so that the same request sent again is answered the same and does nothing more. */
export class IdempotencyKey extends TenantRow {
  declare key: string
  /** Who asked: two people may choose the same key. */
  declare principal: string
  declare method: string
  declare route: string
  /** SHA-256 of what was asked. */
  declare requestHash: string
  declare status: Opt<IdempotencyStatus>
  declare responseStatus?: number | null
  declare responseHeaders?: Record<string, string> | null
  declare responseBody?: unknown
  declare shownFor: Opt<string[]>
  declare expiresAt: Date
}

export const IdempotencyKeySchema: EntitySchema<IdempotencyKey> = tenantEntity({
  class: IdempotencyKey,
  properties: {
    key: p.text(),
    principal: p.text(),
    method: p.text(),
    route: p.text(),
    requestHash: p.text(),
    status: p.enum(idempotencyStatuses).default('IN_FLIGHT'),
    responseStatus: p.integer().nullable(),
    responseHeaders: p.json<Record<string, string>>().nullable(),
    responseBody: p.json<unknown>().nullable(),
    /** The permissions without which less would have been answered. */
    shownFor: p
      .array()
      .onCreate(() => [])
      .defaultRaw(`'{}'`),
    expiresAt: moment(),
  },
  uniques: [{ properties: ['principal', 'key'] }],
  indexes: [{ properties: ['expiresAt'] }],
  checks: [{ name: 'idempotency_key_answered', expression: `(status = 'DONE') = (response_status is not null)` }],
  // Its changes are told by what was done; the answer may hold anything.
  audit: false,
})
