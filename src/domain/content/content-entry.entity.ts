import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { now } from '../../kernel/clock.ts'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, refused, tenantEntity, TenantRow } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { AddressFixedError, EntryIncompleteError } from './content.errors.ts'

export const contentStatuses = ['DRAFT', 'PUBLISHED', 'ARCHIVED'] as const
export type ContentStatus = (typeof contentStatuses)[number]

export const contentTransitions: Transitions<ContentStatus> = {
  DRAFT: ['PUBLISHED', 'ARCHIVED'],
  PUBLISHED: ['DRAFT', 'ARCHIVED'],
  ARCHIVED: ['DRAFT'],
}

/** Something to read, in one language, at one address: its type, its slug and its locale. */
export class ContentEntry extends TenantRow {
  /** `page`, `post`, `help`. */
  declare type: string
  declare slug: string
  /** As BCP 47 writes it: `fr`, `fr-CA`. */
  declare locale: string
  declare title: string
  declare body: Opt<string>
  declare status: Opt<ContentStatus>
  declare author?: Ref<User> | null
  /** Readers see it from then on. */
  declare publishedAt?: Date | null
  declare version: Opt<number>
  declare searchVector?: Opt<string> | null

  isVisible(at: Date): boolean {
    return this.status === 'PUBLISHED' && Boolean(this.publishedAt && this.publishedAt <= at)
  }

  /** At a time to come, readers see it from then on. */
  publish(publishedAt: Date = now()): void {
    const missing = [...(this.title.trim() ? [] : ['title']), ...(this.body.trim() ? [] : ['body'])]
    if (missing.length > 0) throw new EntryIncompleteError(this.id, missing)
    this.become('PUBLISHED')
    this.publishedAt = publishedAt
  }

  /** A draft again. */
  unpublish(): void {
    this.become('DRAFT')
    this.publishedAt = null
  }

  archive(): void {
    this.become('ARCHIVED')
  }

  /** Others may have linked to what is published, so its address stays. */
  rename(slug: string): void {
    if (this.status === 'PUBLISHED' && slug !== this.slug) throw new AddressFixedError(this.slug)
    this.slug = slug
  }

  private become(status: ContentStatus): void {
    this.status = nextState('An entry', contentTransitions, this.status, status)
  }
}

/** The title weighs more than the body. The language of the words decides where they are cut. */
const searchVector = (['title', 'body'] as const)
  .map((column, index) => `setweight(to_tsvector(daybook_words_of(locale), ${column}), '${index === 0 ? 'A' : 'B'}')`)
  .join(' || ')

export const ContentEntrySchema: EntitySchema<ContentEntry> = tenantEntity({
  class: ContentEntry,
  properties: {
    type: p.text(),
    slug: p.text(),
    locale: p.text(),
    title: p.text(),
    body: p.text().default(''),
    status: p.enum(contentStatuses).default('DRAFT'),
    author: () => p.manyToOne(User).ref().nullable(),
    publishedAt: moment().nullable(),
    version: p.integer().version(),
    searchVector: p.string().columnType('tsvector').generated(`(${searchVector}) stored`).nullable().lazy().hidden(),
  },
  uniques: [{ properties: ['type', 'slug', 'locale'] }],
  indexes: [
    { properties: ['type', 'status', 'publishedAt'] },
    {
      name: 'content_entry_search',
      properties: ['searchVector'],
      expression: 'create index "content_entry_search" on "content_entry" using gin ("search_vector")',
    },
  ],
  checks: [
    { name: 'content_entry_slug_shape', expression: `slug ~ '^[a-z0-9](-?[a-z0-9])*$'` },
    { name: 'content_entry_locale_shape', expression: `locale ~ '^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$'` },
    {
      name: 'content_entry_published',
      expression: `status <> 'PUBLISHED' or (published_at is not null and title ~ '[^[:space:]]' and body ~ '[^[:space:]]')`,
    },
    { name: 'content_entry_draft', expression: `status <> 'DRAFT' or published_at is null` },
  ],
  triggers: [
    refused({
      table: 'content_entry',
      name: 'address_stays',
      event: 'update',
      when: `old.status = 'PUBLISHED' and (new.type, new.slug, new.locale) is distinct from (old.type, old.slug, old.locale)`,
      message: 'the address of a published entry stays: unpublish it first',
    }),
  ],
})
