import { expect, test } from 'vitest'
import { now } from '../../src/kernel/clock.ts'
import { runDeterministically } from '../../src/kernel/determinism.ts'
import { isId, newId } from '../../src/kernel/id.ts'

const start = new Date('2026-01-01T00:00:00Z')
const three = async () => [newId(), newId(), newId()]

test('a new id is a UUID of version 7, and the id of a later millisecond sorts behind', async () => {
  const earlier = newId()
  await new Promise(resolve => setTimeout(resolve, 5))
  const later = newId()
  expect([earlier, later].every(id => isId(id) && id[14] === '7')).toBe(true)
  expect(earlier < later).toBe(true)
})

test('one seed gives the same ids on every run, another seed gives others', async () => {
  const first = await runDeterministically('a', start, three)
  expect(await runDeterministically('a', start, three)).toEqual(first)
  expect(await runDeterministically('b', start, three)).not.toEqual(first)
  expect(new Set(first).size).toBe(3)
})

test('ids of a deterministic course are UUIDs of version 7 too', async () => {
  const ids = await runDeterministically('a', start, three)
  expect(ids.every(id => isId(id) && id[14] === '7' && id[19] === 'a')).toBe(true)
})

test('time on a deterministic course moves with the ids alone', async () => {
  const times = await runDeterministically('a', start, async () => [now(), (newId(), now()), now()])
  expect(times.map(Number)).toEqual([start.getTime(), start.getTime() + 1, start.getTime() + 1])
})

test('outside a course ids differ and time is the clock', async () => {
  expect(newId()).not.toBe(newId())
  expect(Math.abs(now().getTime() - Date.now())).toBeLessThan(1_000)
})

test.each([
  '',
  'x',
  '01890000-0000-7000-8000-00000000000',
  '01890000-0000-7000-8000-0000000000000',
  '01890000 0000-7000-8000-000000000000',
  7,
  null,
])('%j is no id', value => {
  expect(isId(value)).toBe(false)
})
