import { afterAll, beforeAll, beforeEach } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { type EventInput, scheduleEvent, SchedulingEvent } from '../../src/entities.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { type Company, foundCompany } from '../access/company.ts'

/** What is open while a test runs. */
interface Calendar {
  daybook: Daybook
  company: Company
  /** Whose calendar it is. */
  owner: string
}

/** A moment of Monday, 23 November 2026, in UTC. */
export const at = (hour: number, minute = 0) => new Date(Date.UTC(2026, 10, 23, hour, minute))

export const overlap = { code: 'scheduling.overlap' }

export const event = (em: ScopedEntityManager, { id }: { readonly id: string }) => em.findOneOrFail(SchedulingEvent, id)

/** One database for the tests of a file, and for each of them a company whose owner's calendar is empty. */
export function useCalendar() {
  const calendar = {} as Calendar
  beforeAll(async () => {
    calendar.daybook = await openTestDaybook({ poolMax: 20 })
  })
  afterAll(() => calendar.daybook.close())
  beforeEach(async () => {
    calendar.company = await foundCompany(calendar.daybook)
    calendar.owner = calendar.company.owner.id
  })

  const work = <T>(does: (em: ScopedEntityManager) => Promise<T>, actor = systemActor('test')) =>
    calendar.daybook.transact({ tenant: calendar.company.organization, actor }, does)
  const meeting = (from: Date, to: Date, more: Partial<EventInput> = {}): EventInput => ({
    title: 'A meeting',
    startsAt: from,
    endsAt: to,
    timeZone: 'Europe/Berlin',
    organizer: calendar.owner,
    ...more,
  })
  const schedule = (from: Date, to: Date, more: Partial<EventInput> = {}) => work(em => scheduleEvent(em, meeting(from, to, more)))
  const events = () => work(em => em.find(SchedulingEvent, {}, { orderBy: { startsAt: 'asc' } }))

  return { calendar, work, meeting, schedule, events }
}
