import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { freeSlots, type Span, wallTimeOf, type WorkingHours, workingSpans } from '../../src/entities.ts'

const span = (most: number) => fc.tuple(fc.nat(most), fc.nat(most)).map(([a, b]): Span => ({ from: Math.min(a, b), to: Math.max(a, b) }))
const overlaps = (a: Span, b: Span) => a.from < b.to && b.from < a.to && b.from < b.to

describe('free slots', () => {
  /** Asks each minute of each slot that could be. */
  function oneByOne(
    busy: readonly Span[],
    working: readonly (readonly Span[])[],
    durationMs: number,
    stepMs: number,
    last: number,
  ): Span[] {
    const isFree = (minute: number) =>
      working.every(spans => spans.some(({ from, to }) => from <= minute && minute < to)) &&
      !busy.some(({ from, to }) => from <= minute && minute < to)
    const slots: Span[] = []
    for (let from = 0; from + durationMs <= last; from += stepMs) {
      if (Array.from({ length: durationMs }, (_none, index) => from + index).every(isFree)) slots.push({ from, to: from + durationMs })
    }
    return slots
  }

  test('are all that there are, and no other', () => {
    const spans = (max: number) => fc.array(span(120), { maxLength: max })
    fc.assert(
      fc.property(
        spans(6),
        fc.array(spans(4), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 20 }),
        (busy, working, durationMs, stepMs) => {
          const slots = freeSlots(busy, working, { durationMs, stepMs, limit: 1_000 })
          expect(slots).toEqual(oneByOne(busy, working, durationMs, stepMs, 120))
          for (const slot of slots) expect(busy.filter(each => overlaps(slot, each))).toEqual([])
          expect(freeSlots(busy, working, { durationMs, stepMs, limit: 2 })).toEqual(slots.slice(0, 2))
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('of nobody are none', () => {
    expect(freeSlots([], [], { durationMs: 1, stepMs: 1, limit: 1 })).toEqual([])
  })
})

describe('working hours', () => {
  const office: WorkingHours = { start: '09:00', end: '17:00', days: [1, 2, 3, 4, 5] }
  const whole = (from: string, to: string): Span => ({ from: Date.parse(from), to: Date.parse(to) })
  const words = (spans: readonly Span[]) =>
    spans.map(({ from, to }) => [from, to].map(each => new Date(each).toISOString().slice(5, 16)).join(' – '))

  test('follow the clock over the last Friday of winter and the first Monday of summer', () => {
    expect(words(workingSpans(office, 'Europe/Berlin', whole('2026-03-27T00:00Z', '2026-03-31T00:00Z')))).toEqual([
      '03-27T08:00 – 03-27T16:00',
      '03-30T07:00 – 03-30T15:00',
    ])
    expect(words(workingSpans(office, 'Europe/Berlin', whole('2026-10-23T00:00Z', '2026-10-27T00:00Z')))).toEqual([
      '10-23T07:00 – 10-23T15:00',
      '10-26T08:00 – 10-26T16:00',
    ])
    expect(words(workingSpans(office, 'America/New_York', whole('2026-10-30T00:00Z', '2026-11-03T00:00Z')))).toEqual([
      '10-30T13:00 – 10-30T21:00',
      '11-02T14:00 – 11-02T22:00',
    ])
  })

  test('in the night of a change are an hour shorter or longer', () => {
    const night: WorkingHours = { start: '22:00', end: '06:00', days: [6] }
    const hours = (spans: readonly Span[]) => spans.map(({ from, to }) => (to - from) / 3_600_000)
    expect(hours(workingSpans(night, 'Europe/Berlin', whole('2026-03-28T12:00Z', '2026-03-29T12:00Z')))).toEqual([7])
    expect(hours(workingSpans(night, 'Europe/Berlin', whole('2026-10-24T12:00Z', '2026-10-25T12:00Z')))).toEqual([9])
    expect(hours(workingSpans(night, 'America/New_York', whole('2026-03-07T12:00Z', '2026-03-08T16:00Z')))).toEqual([7])
    expect(hours(workingSpans(night, 'America/New_York', whole('2026-10-31T12:00Z', '2026-11-01T16:00Z')))).toEqual([9])
  })

  test('begin and end on the minute that the wall shows, where clocks change too', () => {
    const days = [1, 2, 3, 4, 5, 6, 7]
    const minuteOfDay = ({ hour, minute }: { readonly hour: number; readonly minute: number }) => hour * 60 + minute
    const changes = [Date.UTC(2026, 2, 29), Date.UTC(2026, 2, 8), Date.UTC(2026, 5, 3)]
    const text = (minutes: number) => `${Math.floor(minutes / 60)}`.padStart(2, '0') + ':' + `${minutes % 60}`.padStart(2, '0')
    fc.assert(
      fc.property(
        fc.constantFrom('Europe/Berlin', 'America/New_York', 'Asia/Kathmandu'),
        fc.constantFrom(...changes),
        fc.nat(1_438),
        fc.nat(1_438),
        (zone, change, a, b) => {
          const [start, end] = [Math.min(a, b), Math.max(a, b) + 1]
          const range = { from: change - 86_400_000, to: change + 2 * 86_400_000 }
          const spans = workingSpans({ start: text(start), end: text(end), days }, zone, range)
          for (let moment = range.from; moment < range.to; moment += 7 * 60_000) {
            const wall = minuteOfDay(wallTimeOf(new Date(moment), zone))
            expect(spans.some(({ from, to }) => from <= moment && moment < to)).toBe(start <= wall && wall < end)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  test.each(['9:00', '09:60', '25:00', '24:30', 'nine'])('that begin at %s are refused', start => {
    const attempt = () => workingSpans({ ...office, start }, 'UTC', whole('2026-03-27T00:00Z', '2026-03-31T00:00Z'))
    expect(attempt).toThrow(expect.objectContaining({ code: 'scheduling.search_invalid' }))
  })

  test('of a year ask what the clocks show hardly more than once for each day', () => {
    const asking = vi.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts')
    const spans = workingSpans({ ...office, days: [1, 2, 3, 4, 5, 6, 7] }, 'Europe/Berlin', whole('2026-01-01T00:00Z', '2027-01-01T00:00Z'))
    const times = asking.mock.calls.length
    asking.mockRestore()
    expect(spans.length).toBe(365)
    expect(times).toBeLessThan(450)
  })

  test('may last until midnight', () => {
    const late = workingSpans({ start: '12:00', end: '24:00', days: [5] }, 'UTC', whole('2026-03-27T00:00Z', '2026-03-31T00:00Z'))
    expect(words(late)).toEqual(['03-27T12:00 – 03-28T00:00'])
  })
})
