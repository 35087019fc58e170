import { describe, expect, test } from 'vitest'
import {
  CalendarConnection,
  connectionStatuses,
  connectionTransitions,
  EventReminder,
  eventStatuses,
  eventTransitions,
  reminderStatuses,
  reminderTransitions,
  SchedulingAgentTask,
  SchedulingEvent,
  schedulingTaskStatuses,
  schedulingTaskTransitions,
} from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'

const every = <S extends string>(statuses: readonly S[]) => statuses.flatMap(from => statuses.map(to => [from, to] as const))
const at = new Date('2026-11-23T10:00:00Z')
const later = (minutes: number) => new Date(at.getTime() + minutes * 60_000)
const refusal = expect.objectContaining({ code: 'state.transition_refused' })

describe('an event', () => {
  const moves: Readonly<Record<string, (event: SchedulingEvent) => void>> = {
    SCHEDULED: event => event.move({ startsAt: at, endsAt: later(30) }),
    CONFIRMED: event => event.confirm(),
    CANCELLED: event => event.cancel(),
    COMPLETED: event => event.complete(),
    CONFLICT: event => event.conflict(),
  }

  test.each(every(eventStatuses))('that is %s becomes %s only if it may', (from, to) => {
    const event = Object.assign(new SchedulingEvent(), { status: from })
    const isMove = from === 'SCHEDULED' && to === 'SCHEDULED'
    if (isMove || eventTransitions[from].includes(to)) {
      moves[to]!(event)
      expect(event.status).toBe(to)
    } else {
      expect(() => moves[to]!(event)).toThrow(refusal)
      expect(event.status).toBe(from)
      expect(event.startsAt).toBeUndefined()
    }
  })

  test.each(eventStatuses)('that is %s is open unless it can become nothing else', status => {
    expect(Object.assign(new SchedulingEvent(), { status }).isOpen()).toBe(eventTransitions[status].length > 0)
  })
})

describe('a calendar connection', () => {
  const moves = {
    ACTIVE: (connection: CalendarConnection) => connection.renew('new'),
    EXPIRED: (connection: CalendarConnection) => connection.expire(),
    REVOKED: (connection: CalendarConnection) => connection.revoke(),
  }

  test.each(every(connectionStatuses))('that is %s becomes %s only if it may', (from, to) => {
    const connection = Object.assign(new CalendarConnection(), { status: from, tokenRef: 'old' })
    const isRenewal = from === 'ACTIVE' && to === 'ACTIVE'
    if (isRenewal || connectionTransitions[from].includes(to)) {
      moves[to](connection)
      expect(connection).toMatchObject({ status: to, tokenRef: { ACTIVE: 'new', EXPIRED: 'old', REVOKED: null }[to] })
    } else {
      expect(() => moves[to](connection)).toThrow(refusal)
      expect(connection).toMatchObject({ status: from, tokenRef: 'old' })
    }
  })
})

describe('a task of an agent', () => {
  const moves = {
    QUEUED: (task: SchedulingAgentTask) => task.queue(),
    RUNNING: (task: SchedulingAgentTask) => task.start(),
    PROPOSED: (task: SchedulingAgentTask) => task.propose([], newId()),
    DONE: (task: SchedulingAgentTask) => task.complete(),
    FAILED: (task: SchedulingAgentTask) => task.fail(),
  }

  test.each(every(schedulingTaskStatuses))('that is %s becomes %s only if it may', (from, to) => {
    const task = Object.assign(new SchedulingAgentTask(), { status: from })
    if (schedulingTaskTransitions[from].includes(to)) {
      moves[to](task)
      expect(task.status).toBe(to)
    } else {
      expect(() => moves[to](task)).toThrow(refusal)
      expect(task).toEqual(Object.assign(new SchedulingAgentTask(), { status: from }))
    }
  })
})

describe('a reminder', () => {
  const reminder = (status: (typeof reminderStatuses)[number], attempts = 0) =>
    Object.assign(new EventReminder(), { status, attempts, remindAt: at, dueAt: at })
  const moves = {
    PENDING: (some: EventReminder) => some.follow(60_000, at),
    SENT: (some: EventReminder) => some.sent(later(1)),
    FAILED: (some: EventReminder) => some.failed(later(1), 'no'),
  }

  test.each(every(reminderStatuses).filter(([from, to]) => from !== to))('that is %s becomes %s only if it may', (from, to) => {
    const some = reminder(from, 4)
    if (reminderTransitions[from].includes(to)) {
      moves[to](some)
      expect(some.status).toBe(to)
    } else {
      expect(() => moves[to](some)).toThrow(refusal)
      expect(some.status).toBe(from)
    }
  })

  test('that fails is tried again after longer and longer, five times in all', () => {
    const some = reminder('PENDING')
    const waits = [1, 5, 25, 125].map(minutes => {
      some.failed(at, `after ${minutes}`)
      expect(some).toMatchObject({ status: 'PENDING', error: `after ${minutes}`, dueAt: later(minutes) })
      return some.attempts
    })
    expect(waits).toEqual([1, 2, 3, 4])
    some.failed(at, 'x'.repeat(1_000))
    expect(some).toMatchObject({ status: 'FAILED', attempts: 5, error: 'x'.repeat(500) })
  })

  test('that was sent begins again when its event moves so that its time is still to come', () => {
    const some = Object.assign(reminder('SENT', 1), { sentAt: at })
    some.follow(0, at)
    expect(some).toMatchObject({ status: 'SENT', sentAt: at, attempts: 1 })
    some.follow(3_600_000, at)
    expect(some).toMatchObject({ status: 'PENDING', sentAt: null, attempts: 0, remindAt: later(60), dueAt: later(60) })
  })
})
