/**
 * Content: what an organization publishes, address by address and language by language. An entry is a draft until it is published, now or at
 * a time to come; a reader gets it in their own language or the nearest one that there is,
 * and finds it by its words.
 */
export { AddressFixedError, EntryIncompleteError, LocaleInvalidError } from './content.errors.ts'
export { ContentEntry, ContentEntrySchema, type ContentStatus, contentStatuses, contentTransitions } from './content-entry.entity.ts'
export { inLocale } from './in-locale.ts'
export { type ContentSearch, searchContent } from './search-content.ts'
