import fc from 'fast-check'
import { expect, test } from 'vitest'
import { instantIn } from '../../src/kernel/instant.ts'

test.each([
  ['2026-02-28 23:59:59+00', '2026-02-28T23:59:59.000Z'],
  ['2026-02-28 23:59:59.05+00', '2026-02-28T23:59:59.050Z'],
  ['2026-02-28 23:59:59.999+00', '2026-02-28T23:59:59.999Z'],
  ['2026-02-28 23:59:59.123456+00', '2026-02-28T23:59:59.123Z'],
  ['2026-03-01 05:29:59.05+05:30', '2026-02-28T23:59:59.050Z'],
  ['2026-02-28T23:59:59.050Z', '2026-02-28T23:59:59.050Z'],
])('%s is %s', (stored, instant) => {
  expect(instantIn(stored)).toBe(instant)
})

test('every moment is what a Date makes of it', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('0100-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }), moment => {
      const stored = moment
        .toISOString()
        .replace('T', ' ')
        .replace(/\.?0*Z$/, '+00')
      expect(instantIn(stored)).toBe(moment.toISOString())
    }),
  )
})
