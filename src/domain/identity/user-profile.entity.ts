import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { currentUserSql, globalEntity, Row } from '../../orm/index.ts'
import { User } from './user.entity.ts'

/** How a person shows themself to the people they work with. */
export class UserProfile extends Row {
  declare user: Ref<User>
  declare displayName?: string | null
  declare avatarKey?: string | null
  declare phone?: string | null
  declare bio?: string | null
  declare preferences: Opt<Record<string, unknown>>
  declare version: Opt<number>
}

const own = `user_id = ${currentUserSql}`

export const UserProfileSchema: EntitySchema<UserProfile> = globalEntity({
  class: UserProfile,
  properties: {
    user: () => p.oneToOne(User).ref().owner(),
    displayName: p.text().nullable(),
    avatarKey: p.text().nullable(),
    phone: p.text().nullable(),
    bio: p.text().nullable(),
    preferences: p
      .json()
      .onCreate(() => ({}))
      .defaultRaw(`'{}'`),
    version: p.integer().version(),
  },
  audit: { log: 'user', personal: ['displayName', 'avatarKey', 'phone', 'bio', 'preferences'], person: 'user' },
  policies: [
    { name: 'visible', command: 'select', using: `${own} or exists (select 1 from membership m where m.user_id = user_profile.user_id)` },
    { name: 'own_insert', command: 'insert', check: own },
    { name: 'own_update', command: 'update', using: own, check: own },
  ],
})
