import { now } from '../../kernel/clock.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { ownOrganization } from '../organizations/internal.ts'
import { LocaleInvalidError } from './content.errors.ts'
import { ContentEntry } from './content-entry.entity.ts'

/**
 * What a reader of a locale sees at an address: in their own words, or else in those of their language, or else in the organization's. For
 * `fr-CA` that is `fr-CA`, `fr`, then the organization's default. Nothing that isn't published yet.
 */
export async function inLocale(
  em: ScopedEntityManager,
  type: string,
  slug: string,
  locale: string,
  at: Date = now(),
): Promise<ContentEntry | null> {
  const own = localesFrom(locale)
  const organization = await ownOrganization(em)
  const wanted = [...own, ...(organization ? localesFrom(organization.defaultLocale) : [])]
  const published = { status: 'PUBLISHED' as const, publishedAt: { $lte: at } }
  const entries = await em.find(ContentEntry, { type, slug, locale: { $in: wanted }, ...published })
  return wanted.map(one => entries.find(entry => entry.locale === one)).find(Boolean) ?? null
}

/** `fr` of `fr-CA`. */
export function languageOf(locale: string): string {
  return localesFrom(locale).at(-1)!
}

/** A locale and what it falls back to, the nearest first: `zh-Hant-TW`, `zh-Hant`, `zh`. */
function localesFrom(locale: string): string[] {
  const parts = baseNameOf(locale).split('-')
  return parts.map((_part, index) => parts.slice(0, parts.length - index).join('-'))
}

function baseNameOf(locale: string): string {
  try {
    return new Intl.Locale(locale).baseName
  } catch (cause) {
    throw new LocaleInvalidError(locale, { cause })
  }
}
