import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { CalendarConnection } from './calendar-connection.entity.ts'

export const eventStatuses = ['SCHEDULED', 'CONFIRMED', 'CANCELLED', 'COMPLETED', 'CONFLICT'] as const
export type EventStatus = (typeof eventStatuses)[number]

/** In these no two of one organizer overlap. */
export const liveStatuses = ['SCHEDULED', 'CONFIRMED'] as const satisfies readonly EventStatus[]

export const eventTransitions: Transitions<EventStatus> = {
  SCHEDULED: ['CONFIRMED', 'CANCELLED', 'COMPLETED', 'CONFLICT'],
  CONFIRMED: ['SCHEDULED', 'CANCELLED', 'COMPLETED', 'CONFLICT'],
  CONFLICT: ['SCHEDULED', 'CANCELLED', 'COMPLETED'],
  CANCELLED: [],
  COMPLETED: [],
}

export const attendeeResponses = ['ACCEPTED', 'TENTATIVE', 'DECLINED'] as const
export type AttendeeResponse = (typeof attendeeResponses)[number]

export interface Attendee {
  readonly email: string
  readonly name?: string
  readonly response?: AttendeeResponse
}

export interface Period {
  readonly startsAt: Date
  readonly endsAt: Date
}

/**
 * Something that takes up a person's time. Two events of one organizer that both hold never overlap; one that comes from an outside
 * calendar and does so nevertheless is a CONFLICT, which takes up time too, until somebody moves or cancels it.
 */
export class SchedulingEvent extends TenantRow {
  declare title: string
  declare startsAt: Date
  declare endsAt: Date
  declare timeZone: string
  declare status: Opt<EventStatus>
  /** Whose calendar it is in. */
  declare organizer: Ref<User>
  declare attendees: Opt<Attendee[]>
  declare location?: string | null
  declare aiSuggestion?: Record<string, unknown> | null
  declare connection?: Ref<CalendarConnection> | null
  declare externalId?: string | null
  declare version: Opt<number>

  isOpen(): boolean {
    return this.status !== 'CANCELLED' && this.status !== 'COMPLETED'
  }

  confirm(): void {
    this.become('CONFIRMED')
  }

  cancel(): void {
    this.become('CANCELLED')
  }

  complete(): void {
    this.become('COMPLETED')
  }

  /** It overlaps another one, and only somebody who knows both can say which of them holds. */
  conflict(): void {
    this.become('CONFLICT')
  }

  /** What was confirmed was the old time. */
  move({ startsAt, endsAt }: Period): void {
    if (this.status !== 'SCHEDULED') this.become('SCHEDULED')
    this.startsAt = startsAt
    this.endsAt = endsAt
  }

  private become(status: EventStatus): void {
    this.status = nextState('An event', eventTransitions, this.status, status)
  }
}

/** Ranges of one id each: GiST compares those without an extension, and by that the constraint speaks of one calendar at a time. */
const one = (column: string) => `daybook_uuid_range(${column}, ${column}, '[]') with =`
const noOverlap = [one('tenant_id'), one('organizer_id'), 'tstzrange(starts_at, ends_at) with &&'].join(', ')

const live = liveStatuses.map(status => `'${status}'`).join(', ')

export const overlapConstraint = 'scheduling_event_no_overlap'

export const SchedulingEventSchema: EntitySchema<SchedulingEvent> = tenantEntity({
  class: SchedulingEvent,
  properties: {
    title: p.text(),
    startsAt: moment(),
    endsAt: moment(),
    timeZone: p.text(),
    status: p.enum(eventStatuses).default('SCHEDULED'),
    organizer: () => p.manyToOne(User).ref(),
    attendees: p
      .json<Attendee[]>()
      .onCreate(() => [])
      .defaultRaw(`'[]'`),
    location: p.text().nullable(),
    aiSuggestion: p.json<Record<string, unknown>>().nullable(),
    connection: () => p.manyToOne(CalendarConnection).ref().nullable().deleteRule('restrict'),
    externalId: p.text().nullable(),
    version: p.integer().version(),
  },
  audit: { personal: ['attendees'] },
  uniques: [{ properties: ['connection', 'externalId'] }],
  indexes: [{ properties: ['organizer', 'startsAt'] }, { properties: ['endsAt'] }],
  checks: [
    { name: 'scheduling_event_period', expression: 'starts_at < ends_at' },
    { name: 'scheduling_event_attendees_list', expression: `jsonb_typeof(attendees) = 'array'` },
    { name: 'scheduling_event_external', expression: 'external_id is null or connection_id is not null' },
    { name: overlapConstraint, expression: `exclude using gist (${noOverlap}) where (status in (${live}))` },
  ],
})
