import type { Span } from './free-slots.ts'
import { SearchInvalidError } from './scheduling.errors.ts'
import { instantBy, type Midnights, wallTimeOf } from './wall-clock.ts'

/** In the person's own time. An end that isn't after the start is on the next day. */
export interface WorkingHours {
  /** `09:00` */
  readonly start: string
  readonly end: string
  /** From 1 for Monday to 7 for Sunday; the days on which the hours begin. */
  readonly days: readonly number[]
}

const dayMs = 24 * 3_600_000

/** When somebody in that time zone works, between two moments. */
export function workingSpans({ start, end, days }: WorkingHours, timeZone: string, { from, to }: Span): Span[] {
  const begin = minutesOf(start)
  const finish = minutesOf(end)
  const lastMinute = finish > begin ? finish : finish + 24 * 60
  const spans: Span[] = []
  const midnights: Midnights = new Map()
  const instantOn = (date: number, minutes: number) => instantOnDate(date, minutes, timeZone, midnights)
  const last = dateOf(to, timeZone)
  // From the day before, whose hours may reach into this one.
  for (let date = dateOf(from, timeZone) - dayMs; date <= last; date += dayMs) {
    if (!days.includes(new Date(date).getUTCDay() || 7)) continue
    const span = { from: Math.max(from, instantOn(date, begin)), to: Math.min(to, instantOn(date, lastMinute)) }
    if (span.from < span.to) spans.push(span)
  }
  return spans
}

function minutesOf(text: string): number {
  const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? /^(24):(00)$/.exec(text) ?? []
  if (hour === undefined) throw new SearchInvalidError(`${JSON.stringify(text)} is no time of day like 09:00`)
  return Number(hour) * 60 + Number(minute)
}

/** The date in that zone, as midnight in UTC: dates are counted there, where each day has 24 hours. */
function dateOf(instant: number, timeZone: string): number {
  const { year, month, day } = wallTimeOf(new Date(instant), timeZone)
  return Date.UTC(year, month - 1, day)
}

function instantOnDate(date: number, minutes: number, timeZone: string, midnights: Midnights): number {
  const day = new Date(date)
  const wall = { year: day.getUTCFullYear(), month: day.getUTCMonth() + 1, day: day.getUTCDate() }
  return instantBy({ ...wall, hour: Math.floor(minutes / 60), minute: minutes % 60 }, timeZone, midnights).getTime()
}
