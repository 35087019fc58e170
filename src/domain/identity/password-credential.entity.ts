import { type EntitySchema, p, type Ref } from '@mikro-orm/core'
import { globalEntity, moment, Row } from '../../orm/index.ts'
import { ownRowsOnly } from './identity-policies.ts'
import { User } from './user.entity.ts'

/** A person's password, as an Argon2id hash. It has a table of its own because policies protect rows, not columns. */
export class PasswordCredential extends Row {
  declare user: Ref<User>
  declare passwordHash: string
  declare changedAt: Date
}

export const PasswordCredentialSchema: EntitySchema<PasswordCredential> = globalEntity({
  class: PasswordCredential,
  properties: {
    user: () => p.oneToOne(User).ref().owner(),
    passwordHash: p.text().hidden(),
    changedAt: moment(),
  },
  policies: ownRowsOnly('user_id'),
})
