import { Type } from 'typebox'
import { ContentEntry, searchContent } from '../../../domain/content/index.ts'
import { exactly } from '../../fields.ts'
import { momentField } from '../fields.ts'
import { action, resource } from '../resource.ts'

const slug = () => Type.String({ pattern: '^[a-z0-9](-?[a-z0-9])*$', maxLength: 200 })

export const content = [
  resource(ContentEntry, {
    give: ['type', 'locale'],
    write: ['title', 'body', 'slug', 'author'],
    inputs: { slug: slug(), type: Type.String({ minLength: 1, maxLength: 60 }), locale: Type.String({ maxLength: 35 }) },
    search: ({ em, organization }, words, limit) => searchContent(em, words, { locale: organization.defaultLocale, limit }),
    actions: {
      publish: action('manage', exactly({ at: Type.Optional(momentField()) }), (_work, entry: ContentEntry, { at }) =>
        entry.publish(...(at === undefined ? [] : [new Date(at)])),
      ),
      unpublish: action('manage', (_work, entry: ContentEntry) => entry.unpublish()),
      archive: action('manage', (_work, entry: ContentEntry) => entry.archive()),
    },
  }),
]
