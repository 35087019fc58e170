import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { instantOf, wallTimeOf } from '../../src/entities.ts'
import { requireTimeZone } from '../../src/domain/scheduling/wall-clock.ts'

const instant = (wall: string, zone: string) => {
  const [year, month, day, hour, minute] = wall.split(/[-T:]/).map(Number) as [number, number, number, number, number]
  return instantOf({ year, month, day, hour, minute }, zone).toISOString().replace(':00.000Z', 'Z')
}

describe('a wall time is the moment', () => {
  test.each([
    ['Europe/Berlin', '2026-01-15T09:00', '2026-01-15T08:00Z'],
    ['Europe/Berlin', '2026-07-15T09:00', '2026-07-15T07:00Z'],
    // Put forward at 02:00, so what lies between is skipped.
    ['Europe/Berlin', '2026-03-29T01:59', '2026-03-29T00:59Z'],
    ['Europe/Berlin', '2026-03-29T02:00', '2026-03-29T01:00Z'],
    ['Europe/Berlin', '2026-03-29T02:30', '2026-03-29T01:00Z'],
    ['Europe/Berlin', '2026-03-29T03:00', '2026-03-29T01:00Z'],
    ['Europe/Berlin', '2026-03-29T03:01', '2026-03-29T01:01Z'],
    // Put back at 03:00, so 02:30 comes twice.
    ['Europe/Berlin', '2026-10-25T01:59', '2026-10-24T23:59Z'],
    ['Europe/Berlin', '2026-10-25T02:30', '2026-10-25T00:30Z'],
    ['Europe/Berlin', '2026-10-25T03:00', '2026-10-25T02:00Z'],
    ['Europe/Berlin', '2026-10-25T24:00', '2026-10-25T23:00Z'],
    ['America/New_York', '2026-03-08T01:59', '2026-03-08T06:59Z'],
    ['America/New_York', '2026-03-08T02:30', '2026-03-08T07:00Z'],
    ['America/New_York', '2026-03-08T03:00', '2026-03-08T07:00Z'],
    ['America/New_York', '2026-11-01T01:30', '2026-11-01T05:30Z'],
    ['America/New_York', '2026-11-01T02:00', '2026-11-01T07:00Z'],
    ['Australia/Lord_Howe', '2026-10-04T02:15', '2026-10-03T15:30Z'],
    ['Asia/Kathmandu', '2026-06-01T09:00', '2026-06-01T03:15Z'],
    // Samoa left the whole day out.
    ['Pacific/Apia', '2011-12-30T09:00', '2011-12-30T10:00Z'],
    ['Pacific/Apia', '2011-12-31T00:00', '2011-12-30T10:00Z'],
    ['UTC', '2026-02-29T00:00', '2026-03-01T00:00Z'],
  ])('in %s, %s: %s', (zone, wall, expected) => {
    expect(instant(wall, zone)).toBe(expected)
  })
})

const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/St_Johns', 'Pacific/Apia', 'UTC']
const someMinute = fc.integer({ min: Date.UTC(2005, 0) / 60_000, max: Date.UTC(2035, 0) / 60_000 }).map(minute => new Date(minute * 60_000))

test('there and back is the same moment, or the first of the two that the clock shows alike', () => {
  fc.assert(
    fc.property(fc.constantFrom(...zones), someMinute, (zone, moment) => {
      const wall = wallTimeOf(moment, zone)
      const back = instantOf(wall, zone)
      expect(wallTimeOf(back, zone)).toEqual(wall)
      expect(back.getTime()).toBeLessThanOrEqual(moment.getTime())
      expect(moment.getTime() - back.getTime()).toBeLessThanOrEqual(3_600_000)
    }),
    { numRuns: 500 },
  )
})

test('a later wall time is never an earlier moment', () => {
  const walls = (hour: number) => ({ year: 2026, month: 3, day: 29, hour, minute: 0 })
  fc.assert(
    fc.property(fc.constantFrom(...zones), fc.nat(20_000), fc.nat(300), (zone, minute, more) => {
      const [first, second] = [minute, minute + more].map(each => instantOf({ ...walls(0), minute: each }, zone).getTime())
      expect(second).toBeGreaterThanOrEqual(first!)
    }),
    { numRuns: 300 },
  )
})

test.each(['Mars/Olympus', '', '+02:00', '-05:00', 'Europe/Berlin; drop', ' UTC'])('%j is no time zone', zone => {
  expect(() => requireTimeZone(zone)).toThrow(expect.objectContaining({ code: 'scheduling.time_zone_unknown' }))
})

test.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires'])('%j is one', zone => {
  expect(requireTimeZone(zone)).toBe(zone)
})

test('a time zone is kept once, in however many ways it is spelled', () => {
  const spellings = Array.from({ length: 64 }, (_none, bits) =>
    'Asia/Tbilisi'.replaceAll(/[sTbls]/g, (letter, place: number) =>
      (bits >> (place % 6)) & 1 ? letter.toUpperCase() : letter.toLowerCase(),
    ),
  )
  expect(new Set(spellings).size).toBeGreaterThan(20)
  const making = vi.spyOn(Intl, 'DateTimeFormat')
  for (const zone of spellings) expect(requireTimeZone(zone)).toBe(zone)
  const times = making.mock.calls.length
  making.mockRestore()
  expect(times).toBe(1)
})
