import { expect, test } from 'vitest'
import { inTime } from '../../src/kernel/in-time.ts'

test('what ends in time is what it comes to', async () => {
  expect(await inTime(1_000, () => Promise.resolve(7))).toBe(7)
  await expect(inTime(1_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
})

test('what doesn’t is told to stop, and counts for nothing', async () => {
  let reason: unknown
  const never = (signal: AbortSignal) => {
    signal.addEventListener('abort', () => (reason = signal.reason))
    return new Promise(() => undefined)
  }
  await expect(inTime(20, never)).rejects.toMatchObject({ name: 'TimeoutError', message: 'There was no answer within 20 ms.' })
  expect(reason).toMatchObject({ name: 'TimeoutError' })
})
