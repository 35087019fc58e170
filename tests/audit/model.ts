import { Collection, defineEntity, type EntitySchema, type Opt, p, type Ref, Type } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'
import { childEntity, moment, tenantEntity, TenantRow } from '../../src/orm/index.ts'
import { ormOf } from '../../src/orm/orm-registry.ts'

/** A model with everything that a log must be able to tell: every kind of column, relation and inheritance. */
export class Tag extends TenantRow {
  declare label: string
}
export const TagSchema: EntitySchema<Tag> = tenantEntity({ class: Tag, properties: { label: p.text() } })

export class Place {
  declare city: string
  declare zip?: string | null
}
const PlaceSchema = defineEntity({
  class: Place,
  embeddable: true,
  properties: { city: p.text(), zip: p.text().nullable() },
}) as unknown as EntitySchema<Place>

export class Note extends TenantRow {
  declare title: string
  declare code?: string | null
  declare secretWord?: string | null
  declare author?: string | null
  declare diary?: Record<string, unknown> | null
  declare stars: Opt<number>
  declare views?: string | null
  declare price?: string | null
  declare ratio?: number | null
  declare isOpen: Opt<boolean>
  declare dueOn?: string | null
  declare seenAt?: Date | null
  declare labels: Opt<string[]>
  declare raw?: Uint8Array | null
  declare data: Opt<Record<string, unknown>>
  declare place?: Place | null
  declare origin?: Place | null
  declare parent?: Ref<Note> | null
  tags = new Collection<Tag>(this)
  pinned = new Collection<Tag>(this)
  lines = new Collection<Line>(this)
  declare version: Opt<number>
}
export const NoteSchema: EntitySchema<Note> = tenantEntity({
  class: Note,
  properties: {
    title: p.text(),
    code: p.text().nullable(),
    secretWord: p.text().nullable(),
    author: p.text().nullable(),
    diary: p.json<Record<string, unknown>>().nullable(),
    stars: p.integer().default(0),
    views: p.bigint('string').nullable(),
    price: p.decimal('string').precision(12).scale(2).nullable(),
    ratio: p.double().nullable(),
    isOpen: p.boolean().default(true),
    dueOn: p.date().nullable(),
    seenAt: moment().nullable(),
    labels: p.array().onCreate(() => []),
    raw: p.uint8array().nullable(),
    data: p.json().onCreate(() => ({})),
    place: () => p.embedded(Place).nullable(),
    origin: () => p.embedded(Place).object().nullable(),
    parent: () => p.manyToOne(Note).ref().nullable().deleteRule('set null'),
    tags: () => p.manyToMany(Tag),
    pinned: () => p.manyToMany(Tag).fixedOrder().pivotTable('note_pinned'),
    lines: () => p.oneToMany(Line).mappedBy('note').orphanRemoval(),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['code'] }],
  audit: { secret: ['secretWord'], personal: ['author', 'diary'] },
})

export class Line extends TenantRow {
  declare note: Ref<Note>
  declare text: string
}
export const LineSchema: EntitySchema<Line> = tenantEntity({
  class: Line,
  properties: { note: () => p.manyToOne(Note).ref().deleteRule('cascade'), text: p.text() },
})

export class Paper extends TenantRow {
  declare kind: 'letter' | 'bill'
  declare subject: string
}
export class Letter extends Paper {
  declare greeting?: string | null
}
export class Bill extends Paper {
  declare cents?: string | null
}
export const PaperSchema: EntitySchema<Paper> = tenantEntity({
  class: Paper,
  properties: { kind: p.enum(['letter', 'bill'] as const), subject: p.text() },
  discriminator: 'kind',
})
export const LetterSchema: EntitySchema<Letter> = childEntity({
  class: Letter,
  extends: Paper,
  discriminatorValue: 'letter',
  properties: { greeting: p.text().nullable() },
})
export const BillSchema: EntitySchema<Bill> = childEntity({
  class: Bill,
  extends: Paper,
  discriminatorValue: 'bill',
  properties: { cents: p.bigint('string').nullable() },
})

class InCapitals extends Type<string, string> {
  override convertToDatabaseValueSQL(key: string): string {
    return `upper(${key})`
  }

  override getColumnType(): string {
    return 'text'
  }
}

/** What its row says, only the database knows. */
export class Shout extends TenantRow {
  declare words: string
}
export const ShoutSchema: EntitySchema<Shout> = tenantEntity({ class: Shout, properties: { words: p.type(InCapitals) } })

/** What was a headline is a title now, moods are gone, and OLD is called ARCHIVED. */
export class Card extends TenantRow {
  declare title: string
  declare status: 'OPEN' | 'ARCHIVED'
}
export const CardSchema: EntitySchema<Card> = tenantEntity({
  class: Card,
  properties: { title: p.text(), status: p.enum(['OPEN', 'ARCHIVED'] as const) },
  audit: { past: [{ renamed: { headline: 'title' }, removed: ['mood'] }, { values: { status: { OLD: 'ARCHIVED' } } }] },
})

/** Marked when it is deleted. What was a headline is a title now, marks are called tags, and OLD means nothing any more. */
export class Deck extends TenantRow {
  declare title: string
  declare status?: string | null
  declare deletedAt?: Date | null
  tags = new Collection<Tag>(this)
}
export const DeckSchema: EntitySchema<Deck> = tenantEntity({
  class: Deck,
  softDelete: true,
  properties: { title: p.text(), status: p.text().nullable(), tags: () => p.manyToMany(Tag) },
  audit: { past: [{ renamed: { headline: 'title', marks: 'tags' } }, { values: { status: { OLD: null } } }] },
})

export const entities = [
  ShoutSchema,
  CardSchema,
  DeckSchema,
  TagSchema,
  PlaceSchema,
  NoteSchema,
  LineSchema,
  PaperSchema,
  LetterSchema,
  BillSchema,
]

/** The tables as the metadata describes them. */
class NotesAndPapers extends Migration {
  override async up(): Promise<void> {
    const orm = ormOf(this.getEntityManager())
    const sql = await orm.schema.getCreateSchemaSQL({ wrap: false })
    const ours = /^.*?\b(table|on|function) "(tag|note|line|paper|card|deck|shout|note_tags|note_pinned|deck_tags)("|_guard)/
    for (const statement of sql.split(/;\n+/)) if (ours.test(statement)) this.addSql(`${statement};`)
    this.addSql(`create function relabel(words text) returns bigint language sql as $$
      with changed as (update tag set label = words returning 1) select count(*) from changed $$;`)
  }
}

export const migrations = [{ name: 'MigrationOfTestModel', class: NotesAndPapers }]
