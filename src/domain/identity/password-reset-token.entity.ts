import { type EntitySchema, p, type Ref } from '@mikro-orm/core'
import { globalEntity, moment, Row } from '../../orm/index.ts'
import { ownRowsOnly } from './identity-policies.ts'
import { User } from './user.entity.ts'

/** One chance to set a new password without the old one. */
export class PasswordResetToken extends Row {
  declare user: Ref<User>
  declare tokenHash: string
  declare expiresAt: Date
  declare usedAt?: Date | null
  declare requestedIp?: string | null

  isUsable(at: Date): boolean {
    return !this.usedAt && this.expiresAt > at
  }
}

export const PasswordResetTokenSchema: EntitySchema<PasswordResetToken> = globalEntity({
  class: PasswordResetToken,
  properties: {
    user: () => p.manyToOne(User).ref(),
    tokenHash: p.text().unique().hidden(),
    expiresAt: moment(),
    usedAt: moment().nullable(),
    requestedIp: p.text().nullable(),
  },
  policies: ownRowsOnly('user_id', 'token_hash'),
})
