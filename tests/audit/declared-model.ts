import { Collection, defineEntity, type EntitySchema, p } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'
import { childEntity, currentTenantSql, globalEntity, Row, tenantEntity, TenantRow } from '../../src/orm/index.ts'
import { ormOf } from '../../src/orm/orm-registry.ts'

/** Declarations that say where a secret or a person is in other ways than by a column of their own. */
export class Keys {
  declare name: string
  declare token: string
}
const KeysSchema = defineEntity({
  class: Keys,
  embeddable: true,
  properties: { name: p.text(), token: p.text() },
}) as unknown as EntitySchema<Keys>

export class Vault extends TenantRow {
  declare title: string
  declare keys?: Keys | null
  declare holder?: Keys | null
  declare papers?: Record<string, unknown> | null
}
const VaultSchema: EntitySchema<Vault> = tenantEntity({
  class: Vault,
  properties: {
    title: p.text(),
    keys: () => p.embedded(Keys).nullable(),
    holder: () => p.embedded(Keys).nullable(),
    papers: p.json<Record<string, unknown>>().nullable(),
  },
  audit: { secret: ['keys'], personal: ['holder', 'papers'] },
})

export class Beast extends TenantRow {
  declare kind: 'cat' | 'dog'
  declare name: string
}
export class Cat extends Beast {
  declare pin?: string | null
  declare owner?: string | null
}
export class Dog extends Beast {
  declare chip?: string | null
}
const BeastSchema: EntitySchema<Beast> = tenantEntity({
  class: Beast,
  properties: { kind: p.enum(['cat', 'dog'] as const), name: p.text() },
  discriminator: 'kind',
})
const CatSchema: EntitySchema<Cat> = childEntity({
  class: Cat,
  extends: Beast,
  discriminatorValue: 'cat',
  properties: { pin: p.text().nullable(), owner: p.text().nullable() },
  audit: { secret: ['pin'], personal: ['owner'] },
})
const DogSchema: EntitySchema<Dog> = childEntity({
  class: Dog,
  extends: Beast,
  discriminatorValue: 'dog',
  properties: { chip: p.text().nullable() },
})

export class Contact extends TenantRow {
  declare who?: string | null
  declare name?: string | null
}
const ContactSchema: EntitySchema<Contact> = tenantEntity({
  class: Contact,
  properties: { who: p.uuid().nullable(), name: p.text().nullable() },
  audit: { personal: ['name'], person: 'who' },
})

export class Thing extends Row {
  declare holder: string
  declare text: string
}
const ThingSchema: EntitySchema<Thing> = globalEntity({
  class: Thing,
  properties: { holder: p.uuid(), text: p.text() },
  audit: { log: 'holder' },
  policies: [{ name: 'own', using: `holder = ${currentTenantSql}`, check: `holder = ${currentTenantSql}` }],
})

export class Song extends TenantRow {
  declare title: string
}
const SongSchema: EntitySchema<Song> = tenantEntity({ class: Song, properties: { title: p.text() } })

export class Album extends TenantRow {
  declare title: string
  songs = new Collection<Song>(this)
}
const AlbumSchema: EntitySchema<Album> = tenantEntity({
  class: Album,
  properties: { title: p.text(), songs: () => p.manyToMany(Song).fixedOrder().pivotTable('album_song') },
})

export const entities = [KeysSchema, VaultSchema, BeastSchema, CatSchema, DogSchema, ContactSchema, ThingSchema, SongSchema, AlbumSchema]

/** The tables as the metadata describes them. */
class DeclaredTables extends Migration {
  override async up(): Promise<void> {
    const sql = await ormOf(this.getEntityManager()).schema.getCreateSchemaSQL({ wrap: false })
    const ours = /^.*?\b(table|on|function) "(vault|beast|contact|thing|song|album|album_song)("|_guard)/
    for (const statement of sql.split(/;\n+/)) if (ours.test(statement)) this.addSql(`${statement};`)
  }
}

export const migrations = [{ name: 'MigrationOfDeclaredModel', class: DeclaredTables }]
