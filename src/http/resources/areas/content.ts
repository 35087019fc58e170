import { Type } from 'typebox'
import { ContentEntry, inLocale, searchContent } from '../../../domain/content/index.ts'
import { exactly, idField } from '../../fields.ts'
import { ResourceNotFoundError } from '../../http.errors.ts'
import { momentField } from '../fields.ts'
import { action, asked, resource } from '../resource.ts'

const address = exactly({
  type: Type.String({ minLength: 1, maxLength: 60 }),
  slug: Type.String({ minLength: 1, maxLength: 200 }),
  locale: Type.String({ maxLength: 35, pattern: '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$' }),
})
const page = exactly({
  id: idField(),
  locale: Type.String(),
  title: Type.String(),
  body: Type.Unknown(),
  publishedAt: Type.String({ format: 'date-time' }),
})

const slug = () => Type.String({ pattern: '^[a-z0-9](-?[a-z0-9])*$', maxLength: 200 })

export const content = [
  resource(ContentEntry, {
    give: ['type', 'locale'],
    write: ['title', 'body', 'slug', 'author'],
    inputs: { slug: slug(), type: Type.String({ minLength: 1, maxLength: 60 }), locale: Type.String({ maxLength: 35 }) },
    search: ({ em, organization }, words, limit) => searchContent(em, words, { locale: organization.defaultLocale, limit }),
    together: {
      'in-locale': asked(address, page, async ({ em }, { type, slug: at, locale }) => {
        const entry = await inLocale(em, type, at, locale)
        if (!entry) throw new ResourceNotFoundError('content-entry')
        const { id, title, body, publishedAt } = entry
        return { id, locale: entry.locale, title, body, publishedAt: publishedAt!.toISOString() }
      }),
    },
    actions: {
      publish: action('manage', exactly({ at: Type.Optional(momentField()) }), (_work, entry: ContentEntry, { at }) =>
        entry.publish(...(at === undefined ? [] : [new Date(at)])),
      ),
      unpublish: action('manage', (_work, entry: ContentEntry) => entry.unpublish()),
      archive: action('manage', (_work, entry: ContentEntry) => entry.archive()),
    },
  }),
]
