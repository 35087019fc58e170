import { setImmediate as letOthersGoOn } from 'node:timers/promises'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { Membership } from '../access/index.ts'
import type { User } from '../identity/index.ts'
import { freeSlots, type Span } from './free-slots.ts'
import { type Period, SchedulingEvent } from './scheduling-event.entity.ts'
import { PersonUnknownError, SearchInvalidError } from './scheduling.errors.ts'
import { requireTimeZone } from './wall-clock.ts'
import { type WorkingHours, workingSpans } from './working-hours.ts'

export interface SlotSearch {
  /** Ids of people who all have to have time. */
  readonly people: readonly string[]
  readonly durationMinutes: number
  readonly between: { readonly from: Date; readonly to: Date }
  readonly workingHours?: WorkingHours
  /** By a person's id; otherwise they are where their account says. */
  readonly timeZones?: Readonly<Record<string, string>>
  /** Slots begin at multiples of it; 15 unless said otherwise. */
  readonly stepMinutes?: number
  /** How many; 10 unless said otherwise. */
  readonly limit?: number
}

const minuteMs = 60_000
const longestSearchMs = 366 * 24 * 60 * minuteMs
const officeHours: WorkingHours = { start: '09:00', end: '17:00', days: [1, 2, 3, 4, 5] }

/** The first times at which all of them work, each by their own clock, and none has anything else in this organization. */
export async function suggestSlots(em: ScopedEntityManager, search: SlotSearch): Promise<Period[]> {
  const { between, workingHours = officeHours, timeZones = {}, durationMinutes, stepMinutes = 15, limit = 10 } = search
  requireSensible(search)
  const range = { from: between.from.getTime(), to: between.to.getTime() }
  const people = await peopleOf(em, search.people)
  const busy = await busySpans(em, people, range)
  const working = await hoursOf(
    people.map(({ id, timeZone }) => timeZones[id] ?? timeZone),
    workingHours,
    range,
  )
  const slots = freeSlots(busy, working, { durationMs: durationMinutes * minuteMs, stepMs: stepMinutes * minuteMs, limit })
  return slots.map(({ from, to }) => ({ startsAt: new Date(from), endsAt: new Date(to) }))
}

/** Of each person by their zone. A year of one takes a moment, and whoever else is served here shall not wait for those of fifty. */
async function hoursOf(zones: readonly string[], workingHours: WorkingHours, range: Span): Promise<Span[][]> {
  const known = new Map<string, Span[]>()
  for (const zone of new Set(zones)) {
    known.set(zone, workingSpans(workingHours, requireTimeZone(zone), range))
    await letOthersGoOn()
  }
  return zones.map(zone => known.get(zone)!)
}

function requireSensible({ people, between: { from, to }, durationMinutes, stepMinutes = 15, limit = 10 }: SlotSearch): void {
  if (people.length === 0) throw new SearchInvalidError('nobody is named whose time it would be')
  for (const [name, value] of Object.entries({ durationMinutes, stepMinutes, limit })) {
    if (!Number.isInteger(value) || value < 1) throw new SearchInvalidError(`${name} must be a whole number from 1`)
  }
  const lengthMs = to.getTime() - from.getTime()
  if (!(lengthMs > 0 && lengthMs <= longestSearchMs)) throw new SearchInvalidError('between must be a period of at most a year')
}

async function peopleOf(em: ScopedEntityManager, ids: readonly string[]): Promise<User[]> {
  const members = await em.find(Membership, { user: { $in: [...ids] }, status: 'ACTIVE' }, { populate: ['user'] })
  const users = members.map(({ user }) => user.$)
  const missing = ids.find(id => !users.some(user => user.id === id))
  if (missing !== undefined) throw new PersonUnknownError(missing)
  return users
}

/** What takes up somebody's time: what they organize, and what they come to unless they have declined. A conflict takes it up too. */
async function busySpans(em: ScopedEntityManager, people: readonly User[], { from, to }: Span): Promise<Span[]> {
  const events = await em
    .createQueryBuilder(SchedulingEvent, 'e')
    .where({ status: { $nin: ['CANCELLED', 'COMPLETED'] }, startsAt: { $lt: new Date(to) }, endsAt: { $gt: new Date(from) } })
    .andWhere(
      `(e.organizer_id::text in (select jsonb_array_elements_text(?::jsonb)) or exists (select from jsonb_array_elements(e.attendees) a
         where a ->> 'response' is distinct from 'DECLINED' and a ->> 'email' in (select jsonb_array_elements_text(?::jsonb))))`,
      [JSON.stringify(people.map(({ id }) => id)), JSON.stringify(people.map(({ email }) => email))],
    )
    .getResultList()
  return events.map(({ startsAt, endsAt }) => ({ from: startsAt.getTime(), to: endsAt.getTime() }))
}
