import { type EntitySchema, p, type Ref } from '@mikro-orm/core'
import { globalEntity, Row } from '../../orm/index.ts'
import { ownRowsOnly } from './identity-policies.ts'
import { User } from './user.entity.ts'

/** A person's account with another provider. The columns are those that Auth.js expects, so its adapters can work on the table. */
export class Account extends Row {
  declare user: Ref<User>
  declare type: string
  declare provider: string
  declare providerAccountId: string
  declare refresh_token?: string | null
  declare access_token?: string | null
  declare expires_at?: number | null
  declare token_type?: string | null
  declare scope?: string | null
  declare id_token?: string | null
  declare session_state?: string | null
}

export const AccountSchema: EntitySchema<Account> = globalEntity({
  class: Account,
  properties: {
    user: () => p.manyToOne(User).ref(),
    type: p.text(),
    provider: p.text(),
    providerAccountId: p.text(),
    refresh_token: p.text().nullable().hidden(),
    access_token: p.text().nullable().hidden(),
    expires_at: p.integer().nullable(),
    token_type: p.text().nullable(),
    scope: p.text().nullable(),
    id_token: p.text().nullable().hidden(),
    session_state: p.text().nullable().hidden(),
  },
  uniques: [{ properties: ['provider', 'providerAccountId'] }],
  policies: ownRowsOnly('user_id'),
})
