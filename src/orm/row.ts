import { type Opt, p } from '@mikro-orm/core'
import { now } from '../kernel/clock.ts'
import { newId } from '../kernel/id.ts'

/** What every row has. Dates keep milliseconds in the database too, so that a row equals what JavaScript knows of it. */
export abstract class Row {
  declare id: Opt<string>
  declare createdAt: Opt<Date>
  declare updatedAt: Opt<Date>
}

/** A row that belongs to one tenant for life. `tenantId` comes from the scope and never changes. */
export abstract class TenantRow extends Row {
  declare tenantId: Opt<string>
}

// The type has a name, because what is inferred is spelled out wherever it is told.
export const moment = (): ReturnType<ReturnType<typeof p.datetime>['length']> => p.datetime().length(3)

export const rowProperties = () => ({
  id: p.uuid().primary().onCreate(newId),
  createdAt: moment().onCreate(now).defaultRaw('now()'),
  updatedAt: moment().onCreate(now).onUpdate(now).defaultRaw('now()'),
})
