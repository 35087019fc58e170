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
