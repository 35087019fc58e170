import type { ScopedEntityManager } from '../../orm/index.ts'
import { Membership } from '../access/index.ts'
import { normalizeEmail, User } from '../identity/index.ts'
import { inCalendar } from './in-calendar.ts'
import { type Attendee, type Period, SchedulingEvent } from './scheduling-event.entity.ts'
import { PeriodInvalidError, PersonUnknownError } from './scheduling.errors.ts'
import { requireTimeZone } from './wall-clock.ts'

export interface EventDetails extends Period {
  readonly title: string
  /** The IANA name of the zone in which people speak of it: `Europe/Berlin`. */
  readonly timeZone: string
  readonly attendees?: readonly Attendee[]
  readonly location?: string
}

export interface EventInput extends EventDetails {
  /** The id of the person in whose calendar it is. */
  readonly organizer: string
  /** Where an agent found the time, what it says of it. */
  readonly aiSuggestion?: Record<string, unknown>
}

/** Puts an event into a person's calendar, unless another one is there. */
export async function scheduleEvent(em: ScopedEntityManager, input: EventInput): Promise<SchedulingEvent> {
  const { aiSuggestion = null, ...details } = input
  const row = detailsOf(details)
  const organizer = await memberIn(em, input.organizer)
  return inCalendar(em, organizer, async inner =>
    inner.create(SchedulingEvent, { ...row, aiSuggestion, organizer: inner.getReference(User, organizer) }),
  )
}

/** What an event is written with, once it is known to make sense. */
export function detailsOf({ title, startsAt, endsAt, timeZone, attendees = [], location }: EventDetails) {
  requirePeriod({ startsAt, endsAt })
  return {
    title,
    startsAt,
    endsAt,
    timeZone: requireTimeZone(timeZone),
    attendees: attendeesOf(attendees),
    location: location ?? null,
  }
}

/** Addresses are compared to people's, so they are written like them. */
export function attendeesOf(attendees: readonly Attendee[]): Attendee[] {
  return attendees.map(attendee => ({ ...attendee, email: normalizeEmail(attendee.email) }))
}

export function requirePeriod({ startsAt, endsAt }: Period): void {
  if (!(startsAt < endsAt)) throw new PeriodInvalidError()
}

/** As the database spells them: ids may be given in capitals, and turns, the log and whoever waits for it compare text. */
async function memberIn(em: ScopedEntityManager, user: string): Promise<string> {
  const membership = await em.findOne(Membership, { user, status: 'ACTIVE' })
  if (!membership) throw new PersonUnknownError(user)
  return membership.user.id
}
