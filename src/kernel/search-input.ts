import { storableText } from './storable.ts'

const most = 2 ** 31 - 1

/**
 * The words and the limit of a search as PostgreSQL takes them: words as they are stored, so that those with a NUL find what was written with
 * one. A limit that makes no sense is a mistake of whoever calls, and told here, because the server's words abort the transaction.
 */
export function searchInput(words: string, limit: number): [words: string, limit: number] {
  return [storableText(words), searchLimit(limit)]
}

export function searchLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 0 && limit <= most) return limit
  throw new RangeError(`A search is limited to a whole number of results from 0 to ${most}, and not to ${limit}.`)
}
