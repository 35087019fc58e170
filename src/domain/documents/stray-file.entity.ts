import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'

/** The key of a file that no document has: one that is being uploaded, or one whose document is gone. It is removed when it is due. */
export class StrayFile extends TenantRow {
  declare storageKey: string
  declare dueAt: Date
  /** How often its removal was begun. */
  declare attempts: Opt<number>
  declare error?: string | null
}

export const StrayFileSchema: EntitySchema<StrayFile> = tenantEntity({
  class: StrayFile,
  properties: {
    storageKey: p.text(),
    dueAt: moment(),
    attempts: p.integer().default(0),
    error: p.text().nullable(),
  },
  uniques: [{ properties: ['storageKey'] }],
  indexes: [{ properties: ['dueAt'] }],
  immutable: ['storageKey'],
  // A work list: the log tells of the documents themselves.
  audit: false,
})
