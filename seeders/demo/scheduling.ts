import { EventReminder, remind, scheduleEvent, SchedulingEvent } from '../../src/entities.ts'
import { demoArea } from './demo-area.ts'

interface EventData {
  readonly title: string
  readonly startsAt: string
  readonly endsAt: string
  readonly timeZone: string
  readonly location?: string
  readonly attendees?: readonly { readonly email: string; readonly name: string }[]
  readonly remindMinutesBefore?: number
}

const data: Readonly<Record<string, readonly EventData[]>> = {
  'demo-org': [
    {
      title: 'Demonstration for Northwind Analytics',
      startsAt: '2026-01-08T09:00:00Z',
      endsAt: '2026-01-08T09:45:00Z',
      timeZone: 'Europe/Paris',
      attendees: [{ email: 'grace@northwind.example', name: 'Grace Lund' }],
      remindMinutesBefore: 30,
    },
    {
      title: 'What we learnt this week',
      startsAt: '2026-01-09T14:00:00Z',
      endsAt: '2026-01-09T15:00:00Z',
      timeZone: 'Europe/Paris',
      location: 'Room 2',
    },
  ],
  'enterprise-corp': [
    { title: 'The year ahead', startsAt: '2026-01-07T15:00:00Z', endsAt: '2026-01-07T17:00:00Z', timeZone: 'America/New_York' },
  ],
}

/** What stands in the owner's calendar. */
export const scheduling = demoArea('scheduling', data, (work, events) =>
  work.transact(async demo => {
    for (const { remindMinutesBefore, startsAt, endsAt, ...told } of events) {
      const period = { startsAt: new Date(startsAt), endsAt: new Date(endsAt) }
      const event = await demo.ensure(SchedulingEvent, { title: told.title }, () =>
        scheduleEvent(demo.em, { ...told, ...period, organizer: work.owner }),
      )
      if (remindMinutesBefore)
        await demo.ensure(EventReminder, { event: event.id }, () => remind(demo.em, event, remindMinutesBefore, 'EMAIL'))
    }
  }),
)
