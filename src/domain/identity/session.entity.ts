import { type EntitySchema, p, type Ref } from '@mikro-orm/core'
import { globalEntity, moment, Row } from '../../orm/index.ts'
import { ownRowsOnly } from './identity-policies.ts'
import { User } from './user.entity.ts'

/** A signed-in browser. `sessionToken` is the digest of what the cookie holds. */
export class Session extends Row {
  declare sessionToken: string
  declare user: Ref<User>
  declare expires: Date
  declare activeTenantId?: string | null
  declare ip?: string | null
  declare userAgent?: string | null
  declare lastSeenAt: Date
  declare revokedAt?: Date | null

  isLive(at: Date): boolean {
    return !this.revokedAt && this.expires > at
  }

  revoke(at: Date): void {
    this.revokedAt ??= at
  }
}

export const SessionSchema: EntitySchema<Session> = globalEntity({
  class: Session,
  properties: {
    sessionToken: p.text().unique().hidden(),
    user: () => p.manyToOne(User).ref(),
    expires: moment(),
    activeTenantId: p.uuid().nullable(),
    ip: p.text().nullable(),
    userAgent: p.text().nullable(),
    lastSeenAt: moment(),
    revokedAt: moment().nullable(),
  },
  indexes: [{ properties: ['expires'] }],
  policies: ownRowsOnly('user_id', 'session_token'),
})
