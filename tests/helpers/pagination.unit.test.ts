import { expect, test } from 'vitest'
import { createPaginatedResponse, getPaginationParams } from '../../src/helpers/index.ts'

const rules = { sortable: ['email', 'score'] } as const

test('what a query string says becomes what find takes, with the id as the last word', () => {
  expect(getPaginationParams({ page: '3', limit: '10', sortBy: 'score', sortOrder: 'DESC' }, rules)).toEqual({
    page: 3,
    limit: 10,
    offset: 20,
    sortBy: 'score',
    sortOrder: 'desc',
    orderBy: [{ score: 'desc' }, { id: 'desc' }],
  })
})

test('who asks for nothing gets the first page by age', () => {
  expect(getPaginationParams({}, rules)).toMatchObject({ page: 1, limit: 20, offset: 0, orderBy: [{ id: 'asc' }] })
})

test('without rules pages are sorted by age, and by nothing else', () => {
  expect(getPaginationParams({ page: 2, limit: 20 })).toMatchObject({ offset: 20, orderBy: [{ id: 'asc' }] })
  expect(() => getPaginationParams({ sortBy: 'email' })).toThrow('sortBy has to be one of id')
})

test('a limit beyond the largest becomes the largest', () => {
  expect(getPaginationParams({ limit: 5_000 }, rules).limit).toBe(100)
  expect(getPaginationParams({ limit: 5_000 }, { ...rules, maxLimit: 10 }).limit).toBe(10)
})

test.each([
  [{ page: 0 }, 'page'],
  [{ page: -1 }, 'page'],
  [{ page: 1.5 }, 'page'],
  [{ page: 'two' }, 'page'],
  [{ page: '' }, 'page'],
  [{ page: Number.NaN }, 'page'],
  [{ page: Number.MAX_SAFE_INTEGER }, 'page is beyond'],
  [{ limit: 0 }, 'limit'],
  [{ limit: 'many' }, 'limit'],
  [{ sortBy: 'passwordHash' }, 'sortBy has to be one of email, score, id'],
  [{ sortBy: '__proto__' }, 'sortBy'],
  [{ sortOrder: 'desc; drop table prospect' }, 'sortOrder'],
])('%o is refused by name', (asked, complaint) => {
  expect(() => getPaginationParams(asked, rules)).toThrow(expect.objectContaining({ code: 'helpers.pagination_invalid' }))
  expect(() => getPaginationParams(asked, rules)).toThrow(complaint)
})

test('all that is wrong is said at once', () => {
  expect(() => getPaginationParams({ page: 0, limit: 0, sortBy: 'x', sortOrder: 'y' }, rules)).toThrow(
    expect.objectContaining({ details: { problems: [expect.anything(), expect.anything(), expect.anything(), expect.anything()] } }),
  )
})

test.each([
  [0, 1, { totalPages: 0, hasNext: false, hasPrevious: false }],
  [20, 1, { totalPages: 1, hasNext: false, hasPrevious: false }],
  [21, 1, { totalPages: 2, hasNext: true, hasPrevious: false }],
  [21, 2, { totalPages: 2, hasNext: false, hasPrevious: true }],
])('%i rows, page %i', (total, page, expected) => {
  expect(createPaginatedResponse(['x'], total, { page, limit: 20 })).toEqual({
    data: ['x'],
    pagination: { page, limit: 20, total, ...expected },
  })
})
