import { Type } from 'typebox'
import {
  acceptProposal,
  CalendarConnection,
  cancelEvent,
  completeEvent,
  EventReminder,
  remind,
  reminderChannels,
  requestScheduling,
  rescheduleEvent,
  SchedulingAgentTask,
  SchedulingEvent,
  schedulingTaskTypes,
  scheduleEvent,
} from '../../../domain/scheduling/index.ts'
import { taskSources } from '../../../domain/work/index.ts'
import { emailField, exactly, idField, nameField, oneOf } from '../../fields.ts'
import { momentField } from '../fields.ts'
import { found } from '../found.ts'
import { action, creation, resource } from '../resource.ts'

const period = { startsAt: momentField(), endsAt: momentField() }
const periodIn = ({ startsAt, endsAt }: { startsAt: string; endsAt: string }) => ({
  startsAt: new Date(startsAt),
  endsAt: new Date(endsAt),
})

const eventBody = exactly({
  title: nameField(),
  ...period,
  timeZone: Type.String({ maxLength: 100 }),
  organizer: idField(),
  location: Type.Optional(Type.String({ maxLength: 1_000 })),
  attendees: Type.Optional(Type.Array(exactly({ email: emailField(), name: Type.Optional(nameField()) }), { maxItems: 500 })),
})

const taskBody = exactly({ source: oneOf([...taskSources]), type: oneOf([...schedulingTaskTypes]), event: Type.Optional(idField()) })

export const scheduling = [
  resource(CalendarConnection, {
    own: 'user',
    actions: { revoke: action('update', (_work, connection: CalendarConnection) => connection.revoke()) },
  }),
  resource(SchedulingEvent, {
    write: ['title', 'location'],
    create: creation(eventBody, ({ em }, body) => scheduleEvent(em, { ...body, ...periodIn(body) })),
    remove: false,
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
      accept: action(
        'update',
        exactly({ proposal: Type.Integer({ minimum: 0, maximum: 100 }) }),
        ({ em }, task: SchedulingAgentTask, { proposal }) => acceptProposal(em, task, proposal),
      ),
    },
  }),
  resource(EventReminder),
]
