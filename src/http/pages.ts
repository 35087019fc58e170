import { type Static, type TSchema, Type } from 'typebox'
import { exactly, idField, nullable } from './fields.ts'

/** Keyset pages: ids grow with time, so the last id of a page is where the next one starts. */
export const pageQuery = exactly({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
  after: Type.Optional(idField()),
})
export type PageQuery = Static<typeof pageQuery>

export const pageOf = <T extends TSchema>(item: T) => exactly({ items: Type.Array(item), next: nullable(Type.String()) })

const usualLimit = 50

/** What comes along is read after the page: a join has planners read everything in order to find the first few. */
export function pageOptions({ limit = usualLimit }: PageQuery): { orderBy: { id: 'asc' }; limit: number; strategy: 'select-in' } {
  return { orderBy: { id: 'asc' }, limit: limit + 1, strategy: 'select-in' }
}

export function afterCursor({ after }: PageQuery): { id?: { $gt: string } } {
  return after === undefined ? {} : { id: { $gt: after.toLowerCase() } }
}

/** `rows` holds one more than the page, when there is more. */
export function page<T extends { readonly id: string }, V>(rows: readonly T[], { limit = usualLimit }: PageQuery, view: (row: T) => V) {
  const items = rows.slice(0, limit)
  return { items: items.map(view), next: rows.length > limit ? items.at(-1)!.id : null }
}
