import { type Static, Type } from 'typebox'
import {
  acceptProposal,
  CalendarConnection,
  calendarProviders,
  cancelEvent,
  completeEvent,
  connectCalendar,
  EventReminder,
  importEvent,
  proposeSlots,
  refreshToken,
  remind,
  reminderChannels,
  requestScheduling,
  rescheduleEvent,
  SchedulingAgentTask,
  SchedulingEvent,
  schedulingTaskTypes,
  scheduleEvent,
  suggestSlots,
} from '../../../domain/scheduling/index.ts'
import { taskSources } from '../../../domain/work/index.ts'
import { emailField, exactly, idField, nameField, oneOf } from '../../fields.ts'
import { momentField } from '../fields.ts'
import { found } from '../found.ts'
import { action, creation, resource, sent } from '../resource.ts'

const period = { startsAt: momentField(), endsAt: momentField() }
const periodIn = ({ startsAt, endsAt }: { startsAt: string; endsAt: string }) => ({
  startsAt: new Date(startsAt),
  endsAt: new Date(endsAt),
})

const timeZone = () => Type.String({ minLength: 1, maxLength: 100 })
const place = () => Type.String({ maxLength: 1_000 })
const attendees = () => Type.Array(exactly({ email: emailField(), name: Type.Optional(nameField()) }), { maxItems: 500 })
const details = {
  title: nameField(),
  ...period,
  timeZone: timeZone(),
  location: Type.Optional(place()),
  attendees: Type.Optional(attendees()),
}
const eventBody = exactly({ ...details, organizer: idField() })
const importedBody = exactly({ ...details, externalId: Type.String({ minLength: 1, maxLength: 1_000 }) })

const taskBody = exactly({
  source: oneOf([...taskSources]),
  type: oneOf([...schedulingTaskTypes]),
  event: Type.Optional(idField()),
  request: Type.Optional(
    exactly({
      title: Type.Optional(nameField()),
      organizer: Type.Optional(idField()),
      timeZone: Type.Optional(timeZone()),
      attendees: Type.Optional(attendees()),
      location: Type.Optional(place()),
      durationMinutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_080 })),
      text: Type.Optional(Type.String({ maxLength: 20_000 })),
    }),
  ),
})

const token = () => Type.String({ minLength: 1, maxLength: 10_000 })
const connectionBody = exactly({
  provider: oneOf([...calendarProviders]),
  externalAccount: Type.String({ minLength: 1, maxLength: 500 }),
  token: token(),
  scopes: Type.Optional(Type.Array(Type.String({ maxLength: 500 }), { maxItems: 100 })),
})

const proposalBody = exactly({
  slots: Type.Optional(Type.Array(exactly(period), { maxItems: 100 })),
  rationale: Type.String({ minLength: 1, maxLength: 4_000 }),
  confidence: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  model: Type.Optional(nameField()),
})

const clock = () => Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' })
const searchBody = exactly({
  people: Type.Array(idField(), { minItems: 1, maxItems: 50 }),
  durationMinutes: Type.Integer({ minimum: 1, maximum: 10_080 }),
  from: momentField(),
  to: momentField(),
  workingHours: Type.Optional(
    exactly({ start: clock(), end: clock(), days: Type.Array(Type.Integer({ minimum: 1, maximum: 7 }), { minItems: 1, maxItems: 7 }) }),
  ),
  timeZones: Type.Optional(Type.Record(Type.String({ maxLength: 100 }), timeZone())),
  stepMinutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_440 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
})
const moment = () => Type.String({ format: 'date-time' })
const slots = exactly({ slots: Type.Array(exactly({ startsAt: moment(), endsAt: moment() })) })

export const scheduling = [
  resource(CalendarConnection, {
    own: 'user',
    create: creation(connectionBody, ({ em }, body) => connectCalendar(em, body)),
    remove: false,
    actions: {
      revoke: action('update', (_work, connection: CalendarConnection) => connection.revoke()),
      'refresh-token': action('update', exactly({ token: token() }), ({ em }, connection: CalendarConnection, body) =>
        refreshToken(em, connection, body.token),
      ),
      'import-event': {
        permission: 'update',
        body: importedBody,
        answer: exactly({ event: idField(), status: Type.String() }),
        run: async ({ em }, connection: CalendarConnection, body: Static<typeof importedBody>) => {
          const { id, status } = await importEvent(em, connection, { ...body, ...periodIn(body) })
          return { event: id, status }
        },
      },
    },
  }),
  resource(SchedulingEvent, {
    write: ['title', 'location'],
    create: creation(eventBody, ({ em }, body) => scheduleEvent(em, { ...body, ...periodIn(body) })),
    remove: false,
    together: {
      'suggest-slots': sent('read', searchBody, slots, async ({ em }, { from, to, people, timeZones = {}, ...search }) => {
        const between = { from: new Date(from), to: new Date(to) }
        const zones = Object.fromEntries(Object.entries(timeZones).map(([id, zone]) => [id.toLowerCase(), zone]))
        const free = await suggestSlots(em, { ...search, people: people.map(id => id.toLowerCase()), timeZones: zones, between })
        return { slots: free.map(({ startsAt, endsAt }) => ({ startsAt: startsAt.toISOString(), endsAt: endsAt.toISOString() })) }
      }),
    },
    actions: {
      confirm: action('update', (_work, event: SchedulingEvent) => event.confirm()),
      cancel: action('update', ({ em }, event: SchedulingEvent) => cancelEvent(em, event)),
      complete: action('update', ({ em }, event: SchedulingEvent) => completeEvent(em, event)),
      reschedule: action('update', exactly(period), ({ em }, event: SchedulingEvent, body) => rescheduleEvent(em, event, periodIn(body))),
      remind: action(
        'update',
        exactly({ minutesBefore: Type.Integer({ minimum: 0, maximum: 527_040 }), channel: oneOf([...reminderChannels]) }),
        ({ em }, event: SchedulingEvent, { minutesBefore, channel }) => remind(em, event, minutesBefore, channel),
      ),
    },
  }),
  resource(SchedulingAgentTask, {
    create: creation(taskBody, async ({ em }, { event, ...body }) =>
      requestScheduling(em, { ...body, ...(event !== undefined && { event: await found(em, SchedulingEvent, event) }) }),
    ),
    actions: {
      start: action('update', (_work, task: SchedulingAgentTask) => task.start()),
      queue: action('update', (_work, task: SchedulingAgentTask) => task.queue()),
      complete: action('update', (_work, task: SchedulingAgentTask) => task.complete()),
      fail: action('update', (_work, task: SchedulingAgentTask) => task.fail()),
      propose: action('update', proposalBody, ({ em }, task: SchedulingAgentTask, { slots: times = [], ...told }) =>
        proposeSlots(em, task, { ...told, slots: times.map(periodIn) }),
      ),
      accept: action(
        'update',
        exactly({ proposal: Type.Integer({ minimum: 0, maximum: 100 }) }),
        ({ em }, task: SchedulingAgentTask, { proposal }) => acceptProposal(em, task, proposal),
      ),
    },
  }),
  resource(EventReminder),
]
