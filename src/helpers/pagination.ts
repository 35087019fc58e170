import { PaginationInvalidError } from './helpers.errors.ts'

export type SortOrder = 'asc' | 'desc'

/** What a caller asks for, perhaps as text from a query string. */
export interface PageRequest {
  readonly page?: number | string | undefined
  readonly limit?: number | string | undefined
  readonly sortBy?: string | undefined
  readonly sortOrder?: string | undefined
}

export interface PageRules<Field extends string> {
  /** By what may be sorted. Whoever may sort by a hidden column can find out what is in it. */
  readonly sortable: readonly Field[]
  /** What pages are sorted by when nobody asks; by age, unless said otherwise. */
  readonly sortBy?: Field
  readonly sortOrder?: SortOrder
  readonly limit?: number
  readonly maxLimit?: number
}

/** Can be spread into the options of `find`: `em.find(Prospect, where, params)`. */
export interface PageParams<Field extends string> {
  readonly page: number
  readonly limit: number
  readonly offset: number
  readonly sortBy: Field | 'id'
  readonly sortOrder: SortOrder
  /** The id last, so that rows that are equal otherwise keep their order from page to page. */
  readonly orderBy: Partial<Record<Field | 'id', SortOrder>>[]
}

/**
 * Reads what a caller asks for. A limit beyond the largest becomes the largest; what makes no sense is refused, all of it at once. Without rules
 * pages are sorted by age alone.
 */
export function getPaginationParams<const Field extends string = never>(
  asked: PageRequest,
  rules: PageRules<Field> = { sortable: [] },
): PageParams<Field> {
  const { limit: usual = 20, maxLimit = 100 } = rules
  const problems: string[] = []
  const page = wholeNumber('page', asked.page, 1, problems)
  const limit = Math.min(wholeNumber('limit', asked.limit, usual, problems), maxLimit)
  const { sortBy, sortOrder } = sortingOf(asked, rules, problems)
  const offset = (page - 1) * limit
  if (!Number.isSafeInteger(offset)) problems.push('page is beyond any table')
  if (problems.length > 0) throw new PaginationInvalidError(problems)
  return { page, limit, offset, sortBy, sortOrder, orderBy: orderOf(sortBy, sortOrder) }
}

export interface PaginatedResponse<T> {
  readonly data: readonly T[]
  readonly pagination: {
    readonly page: number
    readonly limit: number
    readonly total: number
    readonly totalPages: number
    readonly hasNext: boolean
    readonly hasPrevious: boolean
  }
}

export function createPaginatedResponse<T>(
  data: readonly T[],
  total: number,
  { page, limit }: { readonly page: number; readonly limit: number },
): PaginatedResponse<T> {
  const totalPages = Math.ceil(total / limit)
  return { data, pagination: { page, limit, total, totalPages, hasNext: page < totalPages, hasPrevious: page > 1 && total > 0 } }
}

function sortingOf<Field extends string>(
  asked: Pick<PageRequest, 'sortBy' | 'sortOrder'>,
  { sortable, sortBy: usual, sortOrder: usualOrder = 'asc' }: PageRules<Field>,
  problems: string[],
): { sortBy: Field | 'id'; sortOrder: SortOrder } {
  const sortBy = asked.sortBy === undefined ? (usual ?? 'id') : [...sortable, 'id' as const].find(field => field === asked.sortBy)
  const sortOrder = asked.sortOrder === undefined ? usualOrder : orders.find(order => order === asked.sortOrder?.toLowerCase())
  if (!sortBy) problems.push(`sortBy has to be one of ${[...new Set([...sortable, 'id'])].join(', ')}`)
  if (!sortOrder) problems.push('sortOrder has to be asc or desc')
  return { sortBy: sortBy ?? 'id', sortOrder: sortOrder ?? usualOrder }
}

function orderOf<Field extends string>(sortBy: Field | 'id', sortOrder: SortOrder): PageParams<Field>['orderBy'] {
  const by = (field: Field | 'id') => ({ [field]: sortOrder }) as Partial<Record<Field | 'id', SortOrder>>
  return sortBy === 'id' ? [by('id')] : [by(sortBy), by('id')]
}

function wholeNumber(name: string, value: number | string | undefined, usual: number, problems: string[]): number {
  if (value === undefined) return usual
  const number = typeof value === 'string' && value.trim() === '' ? NaN : Number(value)
  if (Number.isSafeInteger(number) && number >= 1) return number
  problems.push(`${name} has to be a whole number from 1 on`)
  return usual
}

const orders: readonly SortOrder[] = ['asc', 'desc']
