import { defineEntity, type EntitySchema, p } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'
import { newId } from '../src/kernel/id.ts'
import { moment, tenantEntity, TenantRow } from '../src/orm/index.ts'
import { ormOf } from '../src/orm/orm-registry.ts'

/** Eight ordinary columns, beside the four that every tenant's row has. */
export interface Columns {
  title: string
  status: string
  quantity: number
  price: string
  isOpen: boolean
  dueOn: string
  seenAt: Date
  notes: string
}

const columns = {
  title: p.text(),
  status: p.text(),
  quantity: p.integer(),
  price: p.decimal('string').precision(12).scale(2),
  isOpen: p.boolean(),
  dueOn: p.date(),
  seenAt: moment(),
  notes: p.text(),
}

/** The row as Daybook keeps it: isolated, guarded, audited. */
export class Item extends TenantRow implements Columns {
  declare title: string
  declare status: string
  declare quantity: number
  declare price: string
  declare isOpen: boolean
  declare dueOn: string
  declare seenAt: Date
  declare notes: string
}
export const ItemSchema: EntitySchema<Item> = tenantEntity({ class: Item, properties: columns })

/** The same, without the sentinel's triggers. */
export class Unwatched extends TenantRow implements Columns {
  declare title: string
  declare status: string
  declare quantity: number
  declare price: string
  declare isOpen: boolean
  declare dueOn: string
  declare seenAt: Date
  declare notes: string
}
export const UnwatchedSchema: EntitySchema<Unwatched> = tenantEntity({ class: Unwatched, properties: columns })

/** The same columns, defaults and index in a table that only stock MikroORM knows. */
export class Plain implements Columns {
  declare id: string
  declare createdAt: Date
  declare updatedAt: Date
  declare tenantId: string
  declare title: string
  declare status: string
  declare quantity: number
  declare price: string
  declare isOpen: boolean
  declare dueOn: string
  declare seenAt: Date
  declare notes: string
}
export const PlainSchema = defineEntity({
  class: Plain,
  tableName: 'plain_item',
  properties: {
    id: p.uuid().primary().onCreate(newId),
    createdAt: moment()
      .onCreate(() => new Date())
      .defaultRaw('now()'),
    updatedAt: moment()
      .onCreate(() => new Date())
      .onUpdate(() => new Date())
      .defaultRaw('now()'),
    tenantId: p.uuid(),
    ...columns,
  },
  indexes: [{ properties: ['tenantId'] }],
}) as unknown as EntitySchema<Plain>

/** The audited tables as the metadata describes them. */
class BenchTables extends Migration {
  override async up(): Promise<void> {
    const sql = await ormOf(this.getEntityManager()).schema.getCreateSchemaSQL({ wrap: false })
    for (const statement of sql.split(/;\n+/)) if (/^.*?\b(table|on) "(item|unwatched)"/.test(statement)) this.addSql(`${statement};`)
    for (const event of ['insert', 'update', 'delete']) this.addSql(`drop trigger audit_${event} on unwatched;`)
  }
}

export const benchEntities = [ItemSchema, UnwatchedSchema]
export const benchMigrations = [{ name: 'MigrationOfBench', class: BenchTables }]

export function values(index: number): Columns {
  return {
    title: `An item of ordinary length, number ${index}`,
    status: index % 3 === 0 ? 'NEW' : 'IN_PROGRESS',
    quantity: index,
    price: `${index}.50`,
    isOpen: index % 2 === 0,
    dueOn: '2027-03-01',
    seenAt: new Date(1_800_000_000_000 + index * 1_000),
    notes: 'Some words that somebody wrote down about it.',
  }
}
