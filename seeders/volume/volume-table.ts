import type { EntityClass, EntityData } from '@mikro-orm/core'
import { idAt } from '../../src/kernel/determinism.ts'
import type { TenantRow } from '../../src/orm/index.ts'
import { Dice } from './dice.ts'
import type { VolumeTenant } from './volume-tenant.ts'

/** One row in the making: the `n`th of its table in its tenant. */
export interface Making {
  readonly n: number
  readonly tenant: VolumeTenant
  readonly dice: Dice
  /** Two years of work, one row after the other. */
  readonly at: Date
  /** The id of some row of a table that was filled before. */
  readonly some: (table: VolumeTable) => string
  /** The id of the `n`th row of a table, from 0. */
  readonly idOf: (table: VolumeTable, n: number) => string
}

export interface VolumeTable {
  readonly entity: EntityClass<TenantRow>
  /** How many of a thousand rows are its. */
  readonly share: number
  readonly row: (making: Making) => Record<string, unknown>
}

/** Dates and big numbers travel as JSON, so a number of minor units is a number here. */
type Told<T> = { readonly [K in keyof EntityData<T>]: EntityData<T>[K] | (K extends `${string}Minor` ? number : never) }

export function volumeTable<T extends TenantRow>(entity: EntityClass<T>, share: number, row: (making: Making) => Told<T>): VolumeTable {
  return { entity, share, row }
}

const beginning = Date.UTC(2024, 0, 1)
const lasts = 2 * 365 * 86_400_000

/** All rows of one table in one tenant. Each follows from its number alone, so any of them can be made, or referred to, at any time. */
export class VolumeRows {
  readonly table: VolumeTable
  readonly count: number
  readonly #tenant: VolumeTenant
  readonly #seed: string
  readonly #others: (table: VolumeTable) => VolumeRows

  constructor(table: VolumeTable, count: number, tenant: VolumeTenant, seed: string, others: (table: VolumeTable) => VolumeRows) {
    this.table = table
    this.count = count
    this.#tenant = tenant
    this.#seed = `daybook:volume:${seed}:${tenant.index}:${table.entity.name}`
    this.#others = others
  }

  id(n: number): string {
    return idAt(this.#seed, n, this.#time(n))
  }

  row(n: number): Record<string, unknown> {
    const at = new Date(this.#time(n))
    const dice = new Dice(n * 2_654_435_761 + this.#tenant.index * 97 + this.table.share)
    const idOf = (table: VolumeTable, nth: number) => this.#others(table).id(nth)
    const some = (table: VolumeTable) => idOf(table, dice.below(this.#others(table).count))
    const row = this.table.row({ n, tenant: this.#tenant, dice, at, some, idOf })
    return { id: this.id(n), tenantId: this.#tenant.id, createdAt: at, updatedAt: at, ...row }
  }

  #time(n: number): number {
    return beginning + Math.floor((n * lasts) / this.count)
  }
}
