import { defineEntity, type EntitySchema, p, type Ref, Type } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'
import { tenantEntity, TenantRow } from '../../src/orm/index.ts'
import { ormOf } from '../../src/orm/orm-registry.ts'

/** A type of one's own, whose values are of another kind in the database. */
class YesOrNo extends Type<boolean | null, string | null> {
  override convertToDatabaseValue(value: boolean | null): string | null {
    return value === null ? null : value ? 'yes' : 'no'
  }

  override convertToJSValue(value: string | null): boolean | null {
    return value === null ? null : value === 'yes'
  }

  override getColumnType(): string {
    return 'text'
  }
}

/** An entity with columns that are loaded late, made by the database, exact, rounded, and embedded in each other. */
export class Depot {
  declare name: string
  declare papers?: Record<string, unknown> | null
  declare openedAt?: Date | null
}
const DepotSchema = defineEntity({
  class: Depot,
  embeddable: true,
  properties: { name: p.text(), papers: p.json<Record<string, unknown>>().nullable(), openedAt: p.datetime().nullable() },
}) as unknown as EntitySchema<Depot>

export class Stop {
  declare city: string
  declare papers?: Record<string, unknown> | null
  declare isDone?: boolean | null
  declare seenAt?: Date | null
  declare depot?: Depot | null
  declare depots?: Depot[] | null
}
const StopSchema = defineEntity({
  class: Stop,
  embeddable: true,
  properties: {
    city: p.text(),
    papers: p.json<Record<string, unknown>>().nullable(),
    isDone: p.type(YesOrNo).nullable(),
    seenAt: p.datetime().nullable(),
    depot: () => p.embedded(Depot).nullable(),
    depots: () => p.embedded(Depot).array().nullable(),
  },
}) as unknown as EntitySchema<Stop>

export class Parcel extends TenantRow {
  declare label: string
  declare sender?: string | null
  declare letter?: string | null
  declare papers?: Record<string, unknown> | null
  declare isFragile?: boolean | null
  declare pieces?: number | null
  declare worth?: string | null
  declare rate?: number | null
  declare waits?: string | null
  declare weights?: number[] | null
  declare length?: number | null
  declare initial?: string | null
  declare origin?: Stop | null
  declare target?: Stop | null
  declare route?: Stop[] | null
  declare within?: Ref<Parcel> | null
}
export const ParcelSchema: EntitySchema<Parcel> = tenantEntity({
  class: Parcel,
  properties: {
    label: p.text(),
    sender: p.text().nullable(),
    letter: p.text().nullable().lazy(),
    papers: p.json<Record<string, unknown>>().nullable().lazy(),
    isFragile: p.type(YesOrNo).nullable(),
    pieces: p.integer().nullable(),
    worth: p.decimal('string').precision(30).scale(10).nullable(),
    rate: p.double().nullable(),
    waits: p.string().columnType('interval').nullable(),
    weights: p.array(Number).columnType('int[]').nullable(),
    length: p.integer().generated('(length(label)) stored').nullable(),
    initial: p.string().columnType('text').generated('(left(sender, 1)) stored').nullable(),
    origin: () => p.embedded(Stop).nullable(),
    target: () => p.embedded(Stop).object().nullable(),
    route: () => p.embedded(Stop).array().nullable(),
    within: () => p.manyToOne(Parcel).ref().nullable(),
  },
  audit: { personal: ['sender'] },
})

export const entities = [DepotSchema, StopSchema, ParcelSchema]

/** The table as the metadata describes it. */
class ShapedTables extends Migration {
  override async up(): Promise<void> {
    const sql = await ormOf(this.getEntityManager()).schema.getCreateSchemaSQL({ wrap: false })
    const ours = /^.*?\b(table|on|function) "parcel("|_guard)/
    for (const statement of sql.split(/;\n+/)) if (ours.test(statement)) this.addSql(`${statement};`)
  }
}

export const migrations = [{ name: 'MigrationOfShapedModel', class: ShapedTables }]
