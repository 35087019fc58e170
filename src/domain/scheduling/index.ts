/**
 * Scheduling: when people have time, and what takes it up. Events stand in their organizer's calendar, where no two that hold overlap,
 * however many are made at once; reminders go with them. Times that suit everybody are found by each person's own clock. Agents propose
 * times and people accept them. Calendars elsewhere are connected by the person to whom they belong, and what comes from there may clash.
 */
export { acceptProposal, proposeSlots, requestScheduling, type SchedulingTaskInput, type SlotProposal } from './agent-tasks.ts'
export {
  CalendarConnection,
  CalendarConnectionSchema,
  type CalendarProvider,
  calendarProviders,
  type ConnectionStatus,
  connectionStatuses,
  connectionTransitions,
} from './calendar-connection.entity.ts'
export { cancelEvent, completeEvent, rescheduleEvent } from './change-event.ts'
export { connectCalendar, type ConnectionInput, refreshToken, tokenOf } from './connections.ts'
export {
  EventReminder,
  EventReminderSchema,
  type ReminderChannel,
  reminderChannels,
  type ReminderStatus,
  reminderStatuses,
  reminderTransitions,
} from './event-reminder.entity.ts'
export { freeSlots, type SlotShape, type Span } from './free-slots.ts'
export { type ImportedEvent, importEvent } from './import-event.ts'
export { remind, type SendReminder, sendReminders } from './reminders.ts'
export { type EventDetails, type EventInput, scheduleEvent } from './schedule-event.ts'
export {
  type Proposal,
  SchedulingAgentTask,
  SchedulingAgentTaskSchema,
  type SchedulingRequest,
  type SchedulingTaskStatus,
  schedulingTaskStatuses,
  schedulingTaskTransitions,
  type SchedulingTaskType,
  schedulingTaskTypes,
} from './scheduling-agent-task.entity.ts'
export {
  type Attendee,
  type AttendeeResponse,
  attendeeResponses,
  type EventStatus,
  eventStatuses,
  eventTransitions,
  type Period,
  SchedulingEvent,
  SchedulingEventSchema,
} from './scheduling-event.entity.ts'
export {
  ConnectionForeignError,
  ConnectionInactiveError,
  EventClosedError,
  OverlapError,
  PeriodInvalidError,
  PersonUnknownError,
  ProposalUnknownError,
  SchedulingTaskInvalidError,
  SearchInvalidError,
  TimeZoneUnknownError,
} from './scheduling.errors.ts'
export { type SlotSearch, suggestSlots } from './suggest-slots.ts'
export { instantOf, requireTimeZone, type WallTime, wallTimeOf } from './wall-clock.ts'
export { type WorkingHours, workingSpans } from './working-hours.ts'
