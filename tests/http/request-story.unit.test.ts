import { expect, test } from 'vitest'
import { isId } from '../../src/kernel/id.ts'
import { requestIdFrom, storyOf } from '../../src/http/request-story.ts'

const id = '01890A5D-AC96-774B-BCCE-B302099A8057'

test('a request keeps its caller’s id when it is a UUID, and gets one otherwise', () => {
  expect(requestIdFrom({ 'x-request-id': id })).toBe(id.toLowerCase())
  for (const odd of [undefined, '', 'x', `${id}\n`, 'a'.repeat(10_000)]) expect(isId(requestIdFrom({ 'x-request-id': odd }))).toBe(true)
})

test('the larger story is the caller’s trace, then their correlation id, then the request itself', () => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  expect(storyOf(id, { traceparent, 'x-correlation-id': id }).correlationId).toBe('4bf92f35-77b3-4da6-a3ce-929d0e0e4736')
  expect(storyOf('request', { 'x-correlation-id': id }).correlationId).toBe(id.toLowerCase())
  expect(storyOf(id, { traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, 'x-correlation-id': 'nonsense' })).toEqual({
    requestId: id,
    correlationId: id,
  })
})

const [traceId, parentId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7']

test.each([
  ['a version that is none', `ff-${traceId}-${parentId}-01`],
  ['no parent', `00-${traceId}-${'0'.repeat(16)}-01`],
  ['no trace', `00-${'0'.repeat(32)}-${parentId}-01`],
  ['more than the first version has', `00-${traceId}-${parentId}-01-more`],
  ['capitals', `00-${traceId.toUpperCase()}-${parentId}-01`],
  ['something behind it', `01-${traceId}-${parentId}-01more`],
])('a traceparent with %s is none', (_what, traceparent) => {
  expect(storyOf(id, { traceparent }).correlationId).toBe(id)
})

test.each([`01-${traceId}-${parentId}-01`, `cc-${traceId}-${parentId}-01-what-the-future-will-be`])(
  'a traceparent of a later version is read as far as it is known: %s',
  traceparent => {
    expect(storyOf(id, { traceparent }).correlationId).toBe('4bf92f35-77b3-4da6-a3ce-929d0e0e4736')
  },
)
