import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { tenantEntity, TenantRow } from '../../orm/index.ts'
import { User } from '../identity/index.ts'

/** What an organization has set otherwise than it comes. */
export class SystemSetting extends TenantRow {
  declare key: string
  declare value: unknown
  declare updatedBy?: Ref<User> | null
  declare version: Opt<number>
}

export const SystemSettingSchema: EntitySchema<SystemSetting> = tenantEntity({
  class: SystemSetting,
  properties: {
    key: p.text(),
    value: p.json<unknown>(),
    updatedBy: () => p.manyToOne(User).ref().nullable(),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['key'] }],
  immutable: ['key'],
})
