import { now } from '../../kernel/clock.ts'
import { searchInput } from '../../kernel/search-input.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { ContentEntry } from './content-entry.entity.ts'
import { languageOf } from './in-locale.ts'

export interface ContentSearch {
  /** Entries of its language are searched, and words compared as it declines them. */
  readonly locale: string
  readonly limit?: number
  readonly at?: Date
}

/** What a reader finds by words, the best first: `opening hours -summer`. Nothing that isn't published yet. */
export async function searchContent(em: ScopedEntityManager, words: string, search: ContentSearch): Promise<ContentEntry[]> {
  const { locale, limit = 20, at = now() } = search
  const [stored, most] = searchInput(words, limit)
  const values = [stored, languageOf(locale), at, most]
  // A statement of one's own knows the tenant only inside a transaction.
  const ask = (inner: ScopedEntityManager) =>
    inner.execute<{ id: string }[]>('select id from daybook_search_content(?, ?, ?, ?) as found', values)
  const ids = (await (em.isInTransaction() ? ask(em) : em.transactional(ask))).map(({ id }) => id)
  const entries = new Map((await em.find(ContentEntry, { id: { $in: ids } })).map(entry => [entry.id, entry]))
  return ids.flatMap(id => entries.get(id) ?? [])
}
