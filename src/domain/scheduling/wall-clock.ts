import { TimeZoneUnknownError } from './scheduling.errors.ts'

/** What a clock on a wall shows, in the time zone in which it hangs. Hours beyond 23 are those of the next day. */
export interface WallTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
}

const dayMs = 24 * 3_600_000
/** By name in small letters: a zone may be spelled in capitals too, and whoever sent it under one spelling after another would fill the memory. */
const formats = new Map<string, Intl.DateTimeFormat>()

/** Refuses what is no IANA name. Intl would take an offset too, which knows nothing of daylight saving. */
export function requireTimeZone(timeZone: string): string {
  if (/^[+-]/.test(timeZone)) throw new TimeZoneUnknownError(timeZone)
  formatOf(timeZone)
  return timeZone
}

export function wallTimeOf(instant: Date, timeZone: string): WallTime {
  const shown = new Date(instant.getTime() + offsetAt(instant.getTime(), timeZone))
  return {
    year: shown.getUTCFullYear(),
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
  }
}

/** What is known of one zone: by how much it is ahead of UTC at midnights in UTC. */
export type Midnights = Map<number, number>

/**
 * The moment in which a clock on the wall first shows that time. A time that it skips, because it is put forward, is the moment in which
 * that happens; so a later wall time is never an earlier moment.
 */
export function instantOf(wall: WallTime, timeZone: string): Date {
  return instantBy(wall, timeZone, new Map())
}

/** The same for whoever asks for many times of one zone and keeps its midnights: a zone is slow to ask, and on most days nothing changes. */
export function instantBy({ year, month, day, hour, minute }: WallTime, timeZone: string, midnights: Midnights): Date {
  const asIfUtc = Date.UTC(year, month - 1, day, hour, minute)
  const midnight = Math.floor(asIfUtc / dayMs) * dayMs
  const [eve, morrow] = [midnight - dayMs, midnight + 2 * dayMs].map(each => offsetAtMidnight(each, timeZone, midnights)) as [
    number,
    number,
  ]
  if (eve === morrow) return new Date(asIfUtc - eve)
  const before = offsetAt(asIfUtc - dayMs, timeZone)
  const after = offsetAt(asIfUtc + dayMs, timeZone)
  const found = [asIfUtc - before, asIfUtc - after].filter(instant => instant + offsetAt(instant, timeZone) === asIfUtc)
  return new Date(found.length > 0 ? Math.min(...found) : changeBetween(asIfUtc - after, asIfUtc - before, timeZone))
}

/** When the offset that holds at first changes: it does so once between the two. */
function changeBetween(first: number, last: number, timeZone: string): number {
  const offset = offsetAt(first, timeZone)
  let [old, changed] = [first, last]
  while (changed - old > 1) {
    const middle = Math.floor((old + changed) / 2)
    if (offsetAt(middle, timeZone) === offset) old = middle
    else changed = middle
  }
  return changed
}

function offsetAtMidnight(midnight: number, timeZone: string, midnights: Midnights): number {
  const known = midnights.get(midnight)
  if (known !== undefined) return known
  const offset = offsetAt(midnight, timeZone)
  midnights.set(midnight, offset)
  return offset
}

/** By how much the zone's clocks are ahead of UTC, in milliseconds. */
function offsetAt(instant: number, timeZone: string): number {
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const shown = Date.UTC(parts.year!, parts.month! - 1, parts.day, parts.hour, parts.minute, parts.second)
  return shown - Math.floor(instant / 1_000) * 1_000
}

/** Making one takes a hundred times as long as using it. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const name = timeZone.toLowerCase()
  const known = formats.get(name)
  if (known) return known
  try {
    const digits = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const
    const format = new Intl.DateTimeFormat('en', { ...digits, timeZone, calendar: 'gregory', hourCycle: 'h23' })
    formats.set(name, format)
    return format
  } catch (error) {
    if (error instanceof RangeError) throw new TimeZoneUnknownError(timeZone)
    throw error
  }
}
