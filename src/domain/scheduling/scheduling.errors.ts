import { DaybookError } from '../../kernel/error.ts'

export class OverlapError extends DaybookError {
  readonly code = 'scheduling.overlap'

  constructor(organizer: string, options?: ErrorOptions) {
    super(`User ${organizer} has another event at that time. Choose a time that is free; suggestSlots finds some.`, { organizer }, options)
  }
}

export class PeriodInvalidError extends DaybookError {
  readonly code = 'scheduling.period_invalid'

  constructor() {
    super('It would end before it begins. Give two moments, the end after the start.')
  }
}

export class TimeZoneUnknownError extends DaybookError {
  readonly code = 'scheduling.time_zone_unknown'

  constructor(timeZone: string) {
    super(`${JSON.stringify(timeZone)} is no time zone. Give its IANA name, like Europe/Berlin.`, { timeZone })
  }
}

export class PersonUnknownError extends DaybookError {
  readonly code = 'scheduling.person_unknown'

  constructor(user: string) {
    super(`User ${user} is no active member of the organization, so they have no calendar here. Invite them first.`, { user })
  }
}

export class SearchInvalidError extends DaybookError {
  readonly code = 'scheduling.search_invalid'

  constructor(problem: string) {
    super(`No free time can be looked for: ${problem}.`, { problem })
  }
}

export class EventClosedError extends DaybookError {
  readonly code = 'scheduling.event_closed'

  constructor(status: string) {
    super(`The event is ${status}, so nobody is reminded of it. Schedule another one.`, { status })
  }
}

export class ProposalUnknownError extends DaybookError {
  readonly code = 'scheduling.proposal_unknown'

  constructor(index: number, status: string, proposals: number) {
    super(`There is no proposal ${index} to accept: the task is ${status} and has ${proposals}, counted from 0.`, {
      index,
      status,
      proposals,
    })
  }
}

export class SchedulingTaskInvalidError extends DaybookError {
  readonly code = 'scheduling.task_invalid'

  constructor(problems: readonly string[]) {
    super(`The task can't be done: ${problems.join('; ')}.`, { problems })
  }
}

export class ConnectionInactiveError extends DaybookError {
  readonly code = 'scheduling.connection_inactive'

  constructor(status: string) {
    super(`The calendar connection is ${status}, so it opens nothing. Have its person connect the calendar again.`, { status })
  }
}

export class ConnectionForeignError extends DaybookError {
  readonly code = 'scheduling.connection_foreign'

  constructor() {
    super('Only the person whose calendar it is can connect it and use its token. Act as that user.')
  }
}
