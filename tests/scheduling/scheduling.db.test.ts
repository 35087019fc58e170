import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { tell } from '../../src/audit/index.ts'
import { agentActor, systemActor, userActor } from '../../src/context/index.ts'
import {
  acceptProposal,
  CalendarConnection,
  cancelEvent,
  completeEvent,
  connectCalendar,
  countDueReminders,
  type EventInput,
  EventReminder,
  eventStatuses,
  importEvent,
  proposeSlots,
  remind,
  requestScheduling,
  rescheduleEvent,
  scheduleEvent,
  SchedulingAgentTask,
  type SchedulingRequest,
  SchedulingEvent,
  sendReminders,
  suggestSlots,
  type User,
} from '../../src/entities.ts'
import { jobs, runJob } from '../../src/jobs/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { feed, replayProblems, why } from '../../src/readers/index.ts'
import { openTestDaybook } from '../../src/testing/index.ts'
import { type Company, foundCompany, hireInto } from '../access/company.ts'

let daybook: Daybook
let company: Company
let owner: string

beforeAll(async () => {
  daybook = await openTestDaybook({ poolMax: 20 })
})
afterAll(() => daybook.close())
beforeEach(async () => {
  company = await foundCompany(daybook)
  owner = company.owner.id
})

const work = <T>(does: (em: ScopedEntityManager) => Promise<T>, actor = systemActor('test')) =>
  daybook.transact({ tenant: company.organization, actor }, does)
/** A moment of Monday, 23 November 2026, in UTC. */
const at = (hour: number, minute = 0) => new Date(Date.UTC(2026, 10, 23, hour, minute))
const meeting = (from: Date, to: Date, more: Partial<EventInput> = {}): EventInput => ({
  title: 'A meeting',
  startsAt: from,
  endsAt: to,
  timeZone: 'Europe/Berlin',
  organizer: owner,
  ...more,
})
const schedule = (from: Date, to: Date, more: Partial<EventInput> = {}) => work(em => scheduleEvent(em, meeting(from, to, more)))
const events = () => work(em => em.find(SchedulingEvent, {}, { orderBy: { startsAt: 'asc' } }))
const event = (em: ScopedEntityManager, { id }: { readonly id: string }) => em.findOneOrFail(SchedulingEvent, id)
const overlap = { code: 'scheduling.overlap' }

describe('an event', () => {
  test('that touches another is fine, and one that overlaps is refused', async () => {
    await schedule(at(10), at(11))
    await schedule(at(11), at(12))
    await schedule(at(9), at(10))
    for (const [from, to] of [
      [at(10), at(11)],
      [at(9, 30), at(10, 1)],
      [at(8), at(20)],
      [at(10, 15), at(10, 20)],
    ] as const)
      await expect(schedule(from, to)).rejects.toMatchObject(overlap)
    expect(await events()).toHaveLength(3)
  })

  test('that fifty schedule at once is there once', async () => {
    const attempts = await Promise.allSettled(Array.from({ length: 50 }, () => schedule(at(10), at(11))))
    const refused = attempts.filter(attempt => attempt.status === 'rejected')
    expect(refused).toHaveLength(49)
    for (const { reason } of refused) expect(reason).toMatchObject(overlap)
    expect(await events()).toHaveLength(1)
    const problems = await work(em => replayProblems(em))
    expect(problems.filter(({ table }) => table === 'scheduling_event')).toEqual([])
  })

  test('stays alone also when nobody asks the service, whatever writes it', async () => {
    const raw = (hour: number) =>
      work(async em => {
        await em.execute(
          `insert into scheduling_event (id, tenant_id, title, starts_at, ends_at, time_zone, organizer_id) values (?, ?, 'raw', ?, ?, 'UTC', ?)`,
          [newId(), company.organization.id, at(hour), at(hour, 30), owner],
        )
      })
    await Promise.allSettled(Array.from({ length: 8 }, () => raw(10)))
    expect(await events()).toHaveLength(1)
    await raw(11)
    await expect(work(em => em.execute('update scheduling_event set starts_at = ?, ends_at = ?', [at(15), at(16)]))).rejects.toThrow(
      /scheduling_event_no_overlap/,
    )
  })

  test('stands in one person’s calendar of one organization', async () => {
    const colleague = await hireInto(daybook, company)
    await schedule(at(10), at(11))
    await schedule(at(10), at(11), { organizer: colleague.id })
    const elsewhere = await foundCompany(daybook)
    await elsewhere.as(undefined, em => scheduleEvent(em, meeting(at(10), at(11), { organizer: elsewhere.owner.id })))
    await expect(schedule(at(10), at(11), { organizer: elsewhere.owner.id })).rejects.toMatchObject({ code: 'scheduling.person_unknown' })
    expect(await events()).toHaveLength(2)
  })

  test('that is over or cancelled leaves its time to others', async () => {
    for (const end of [cancelEvent, completeEvent]) {
      const { id } = await schedule(at(10), at(11))
      await work(async em => end(em, await event(em, { id })))
    }
    await schedule(at(10), at(11))
    expect((await events()).map(({ status }) => status).toSorted()).toEqual(['CANCELLED', 'COMPLETED', 'SCHEDULED'])
  })

  test.each([
    ['scheduling.period_invalid', { startsAt: at(11), endsAt: at(10) }],
    ['scheduling.period_invalid', { startsAt: at(11), endsAt: at(11) }],
    ['scheduling.period_invalid', { startsAt: at(11), endsAt: new Date(Number.NaN) }],
    ['scheduling.time_zone_unknown', { timeZone: 'Berlin' }],
    ['identity.email_invalid', { attendees: [{ email: 'nobody' }] }],
  ])('is refused as %s: %j', async (code, more) => {
    await expect(schedule(at(10), at(11), more)).rejects.toMatchObject({ code })
  })

  test('moves to a time that is free, has to be confirmed anew, and stays where it is otherwise', async () => {
    const { id } = await schedule(at(10), at(11))
    await schedule(at(14), at(15))
    await work(async em => (await event(em, { id })).confirm())
    const move = (from: Date, to: Date) => work(async em => rescheduleEvent(em, await event(em, { id }), { startsAt: from, endsAt: to }))
    await expect(move(at(14, 30), at(15, 30))).rejects.toMatchObject(overlap)
    expect(await work(em => event(em, { id }))).toMatchObject({ status: 'CONFIRMED', startsAt: at(10) })
    await move(at(10, 30), at(11, 30))
    expect(await work(em => event(em, { id }))).toMatchObject({ status: 'SCHEDULED', startsAt: at(10, 30), endsAt: at(11, 30) })
  })

  test('that is refused leaves the transaction usable, and what was to be written before', async () => {
    await schedule(at(10), at(11))
    await work(async em => {
      const [first] = await em.find(SchedulingEvent, {})
      first!.title = 'Changed before'
      await expect(scheduleEvent(em, meeting(at(10), at(11)))).rejects.toMatchObject(overlap)
      first!.location = 'Changed between'
      await rescheduleEvent(em, first!, { startsAt: at(9), endsAt: at(10) })
      expect(first).toMatchObject({ startsAt: at(9), location: 'Changed between' })
      await scheduleEvent(em, meeting(at(11), at(12)))
    })
    expect(await events()).toMatchObject([
      { title: 'Changed before', location: 'Changed between', startsAt: at(9) },
      { title: 'A meeting', startsAt: at(11) },
    ])
  })
})

test('what is refused changes nothing in memory either, so the transaction can go on', async () => {
  const { id } = await schedule(at(10), at(11))
  await schedule(at(14), at(15))
  await work(async em => void (await remind(em, await event(em, { id }), 30, 'CHAT')))
  await work(async em => {
    const own = await event(em, { id })
    const [reminder] = await em.find(EventReminder, {})
    await expect(rescheduleEvent(em, own, { startsAt: at(14), endsAt: at(15) }, at(0))).rejects.toMatchObject(overlap)
    expect([own.startsAt, reminder!.remindAt]).toEqual([at(10), at(9, 30)])
    own.title = 'Changed after'
  })
  expect(await work(em => event(em, { id }))).toMatchObject({ title: 'Changed after', startsAt: at(10) })
})

describe('an event of an outside calendar', () => {
  beforeEach(() => company.as(undefined, em => connectCalendar(em, { provider: 'GOOGLE', externalAccount: 'me', token: 'opens' })))
  const imported = (from: Date, to: Date, more: { externalId?: string; title?: string } = {}) =>
    work(async em => {
      const [connection] = await em.find(CalendarConnection, {})
      const { organizer: _mine, ...details } = meeting(from, to)
      return importEvent(em, connection!, { externalId: 'a', ...details, ...more }, at(0))
    })

  test('that overlaps is a conflict, takes up time, and ends when the other goes away', async () => {
    const { id } = await schedule(at(10), at(11))
    expect(await imported(at(10, 30), at(11, 30))).toMatchObject({ status: 'CONFLICT' })
    const search = { people: [owner], durationMinutes: 30, between: { from: at(10), to: at(12) }, timeZones: { [owner]: 'UTC' } }
    expect(await work(em => suggestSlots(em, search))).toEqual([{ startsAt: at(11, 30), endsAt: at(12) }])
    await work(async em => cancelEvent(em, await event(em, { id })))
    expect(await imported(at(10, 30), at(11, 30))).toMatchObject({ status: 'SCHEDULED' })
    expect(await events()).toHaveLength(2)
  })

  test('that comes again is the same, with its new time and title', async () => {
    const first = await imported(at(10), at(11))
    await work(async em => (await event(em, first)).confirm())
    expect(await imported(at(10), at(11), { title: 'Renamed' })).toMatchObject({ id: first.id, status: 'CONFIRMED', title: 'Renamed' })
    expect(await imported(at(12), at(13))).toMatchObject({ id: first.id, status: 'SCHEDULED', startsAt: at(12) })
    await schedule(at(14), at(15))
    expect(await imported(at(14), at(15))).toMatchObject({ id: first.id, status: 'CONFLICT', startsAt: at(14) })
    expect(await imported(at(16), at(17))).toMatchObject({ id: first.id, status: 'SCHEDULED', startsAt: at(16) })
    await work(async em => cancelEvent(em, await event(em, first)))
    expect(await imported(at(18), at(19))).toMatchObject({ id: first.id, status: 'CANCELLED', startsAt: at(16) })
  })

  test('that many import at once are one each, and only one of them holds the time', async () => {
    const ids = Array.from({ length: 20 }, (_none, index) => `${index % 10}`)
    await Promise.all(ids.map(externalId => imported(at(10), at(11), { externalId })))
    const statuses = (await events()).filter(({ startsAt }) => startsAt.getTime() === at(10).getTime()).map(({ status }) => status)
    expect(statuses.toSorted()).toEqual([...Array<string>(9).fill('CONFLICT'), 'SCHEDULED'])
  })
})

describe('times that suit everybody', () => {
  const offices = (em: ScopedEntityManager, people: readonly User[], zones: readonly string[], day: string, more = {}) =>
    suggestSlots(em, {
      people: people.map(({ id }) => id),
      timeZones: Object.fromEntries(people.map(({ id }, index) => [id, zones[index]!])),
      durationMinutes: 60,
      stepMinutes: 30,
      between: { from: new Date(`${day}T00:00Z`), to: new Date(`${day}T23:59Z`) },
      limit: 50,
      ...more,
    })
  const times = (slots: readonly { readonly startsAt: Date }[]) => slots.map(({ startsAt }) => startsAt.toISOString().slice(11, 16))

  test('lie in the hours in which both work, also in the weeks when only one of them has changed the clock', async () => {
    const people = [company.owner, await hireInto(daybook, company)]
    const on = (day: string) => work(async em => times(await offices(em, people, ['Europe/Berlin', 'America/New_York'], day)))
    // Berlin works 08–16 UTC in winter and 07–15 in summer, New York 14–22 and 13–21.
    expect(await on('2026-03-02')).toEqual(['14:00', '14:30', '15:00'])
    expect(await on('2026-03-16')).toEqual(['13:00', '13:30', '14:00', '14:30', '15:00'])
    expect(await on('2026-03-30')).toEqual(['13:00', '13:30', '14:00'])
    expect(await on('2026-10-26')).toEqual(['13:00', '13:30', '14:00', '14:30', '15:00'])
    expect(await on('2026-11-02')).toEqual(['14:00', '14:30', '15:00'])
    expect(await on('2026-11-01')).toEqual([])
  })

  test('leave out what somebody organizes or comes to, but not what is cancelled, declined or elsewhere', async () => {
    const colleague = await hireInto(daybook, company)
    const invited = (response?: 'DECLINED') => [{ email: colleague.email.toUpperCase(), ...(response && { response }) }]
    await schedule(at(9), at(10), { organizer: colleague.id })
    await schedule(at(10), at(11), { attendees: invited() })
    await schedule(at(11), at(12), { attendees: invited('DECLINED') })
    const gone = await schedule(at(12), at(13), { attendees: invited() })
    await work(async em => cancelEvent(em, await event(em, gone)))
    const elsewhere = await foundCompany(daybook)
    await elsewhere.as(undefined, em => scheduleEvent(em, meeting(at(13), at(14), { organizer: elsewhere.owner.id, attendees: invited() })))
    const found = await work(em => offices(em, [colleague], ['UTC'], '2026-11-23', { stepMinutes: 60 }))
    expect(times(found)).toEqual(['11:00', '12:00', '13:00', '14:00', '15:00', '16:00'])
    const none = elsewhere.as(undefined, em => offices(em, [colleague], ['UTC'], '2026-11-23'))
    await expect(none).rejects.toMatchObject({ code: 'scheduling.person_unknown' })
  })

  test('can be scheduled, one after the other, until none is left', async () => {
    const search = { durationMinutes: 60, limit: 1, between: { from: at(0), to: at(24) }, timeZones: { [owner]: 'UTC' }, people: [owner] }
    const taken: Date[] = []
    for (;;) {
      const [slot] = await work(em => suggestSlots(em, search))
      if (!slot) break
      await schedule(slot.startsAt, slot.endsAt)
      taken.push(slot.startsAt)
    }
    expect(taken).toEqual([9, 10, 11, 12, 13, 14, 15, 16].map(hour => at(hour)))
  })

  test.each([
    { people: [] },
    { durationMinutes: 0 },
    { durationMinutes: 1.5 },
    { stepMinutes: 0 },
    { limit: 0 },
    { between: { from: at(2), to: at(1) } },
    { between: { from: at(2), to: new Date('2028-01-01') } },
    { workingHours: { start: '9', end: '17:00', days: [1] } },
  ])('are not looked for with %j', async more => {
    const search = { people: [owner], durationMinutes: 30, between: { from: at(0), to: at(24) }, ...more }
    await expect(work(em => suggestSlots(em, search))).rejects.toMatchObject({ code: 'scheduling.search_invalid' })
  })
})

describe('a task of an agent', () => {
  const agent = agentActor(newId())
  const request = (): SchedulingRequest => ({ title: 'A call', organizer: owner, timeZone: 'UTC', location: 'Room 1' })
  const task = (em: ScopedEntityManager, id: string) => em.findOneOrFail(SchedulingAgentTask, id)
  const slots = [
    { startsAt: at(10), endsAt: at(11) },
    { startsAt: at(14), endsAt: at(15) },
  ]
  const answer = { slots, rationale: 'Both mornings are free', confidence: 0.8, model: 'planner 1' }
  async function proposed(moved?: SchedulingEvent): Promise<string> {
    const { id } = await work(async em =>
      moved
        ? requestScheduling(em, { source: 'CHAT', type: 'RESCHEDULE', event: moved })
        : requestScheduling(em, { source: 'EMAIL', type: 'FIND_TIME', request: request() }),
    )
    await work(async em => {
      const some = await task(em, id)
      some.start()
      await proposeSlots(em, some, answer)
    }, agent)
    return id
  }
  const accept = (id: string, index: number) => company.as(undefined, async em => acceptProposal(em, await task(em, id), index, at(0)))

  test('proposes, and what is accepted becomes an event that leads back to the agent’s reasons', async () => {
    const id = await proposed()
    expect(await work(em => task(em, id))).toMatchObject({ status: 'PROPOSED', proposals: [{ startsAt: at(10).toISOString() }, {}] })
    const made = await accept(id, 1)
    expect(made).toMatchObject({ title: 'A call', location: 'Room 1', startsAt: at(14), endsAt: at(15), status: 'SCHEDULED' })
    await work(async em => {
      const done = await task(em, id)
      expect(done).toMatchObject({ status: 'DONE', event: { id: made.id } })
      const reasons = await why(em, await event(em, made), 'startsAt')
      expect(JSON.stringify(reasons)).toContain('Both mornings are free')
    })
  })

  test('stays with its proposals when the time of one was taken meanwhile', async () => {
    const id = await proposed()
    await schedule(at(10, 30), at(11, 30))
    await company.as(undefined, async em => {
      const some = await task(em, id)
      await expect(acceptProposal(em, some, 0, at(0))).rejects.toMatchObject(overlap)
      expect(some).toMatchObject({ status: 'PROPOSED', event: null })
    })
    expect(await work(em => task(em, id))).toMatchObject({ status: 'PROPOSED', event: null })
    expect((await accept(id, 1)).startsAt).toEqual(at(14))
  })

  test('is accepted once, however many do so at once', async () => {
    const id = await proposed()
    const attempts = await Promise.allSettled([0, 1, 0, 1, 0, 1].map(index => accept(id, index)))
    const refused = attempts.filter(attempt => attempt.status === 'rejected')
    expect(refused).toHaveLength(5)
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'scheduling.proposal_unknown', details: { status: 'DONE' } })
    expect(await events()).toHaveLength(1)
  })

  test('moves the event that it is about', async () => {
    const moved = await schedule(at(8), at(9))
    const id = await proposed(moved)
    expect(await accept(id, 0)).toMatchObject({ id: moved.id, startsAt: at(10) })
    expect(await work(em => task(em, id))).toMatchObject({ status: 'DONE' })
  })

  test('is refused where it could never be done', async () => {
    const invalid = { code: 'scheduling.task_invalid' }
    const ask = (input: Parameters<typeof requestScheduling>[1]) => work(async em => requestScheduling(em, input))
    await expect(ask({ source: 'API', type: 'FIND_TIME', request: { title: 'A call' } })).rejects.toMatchObject(invalid)
    for (const type of ['RESCHEDULE', 'CANCEL', 'SUMMARIZE'] as const)
      await expect(ask({ source: 'API', type })).rejects.toMatchObject(invalid)
    const id = await proposed()
    for (const index of [2, -1, 0.5]) await expect(accept(id, index)).rejects.toMatchObject({ code: 'scheduling.proposal_unknown' })
    const again = (more: Partial<typeof answer>) => work(async em => proposeSlots(em, await task(em, id), { ...answer, ...more }), agent)
    await expect(again({})).rejects.toMatchObject({ code: 'state.transition_refused' })
    await expect(again({ slots: [] })).rejects.toMatchObject(invalid)
  })
})

describe('reminders', () => {
  const reminders = () => work(em => em.find(EventReminder, {}, { orderBy: { remindAt: 'asc', id: 'asc' } }))
  const reminded = async (...minutes: number[]) => {
    const { id } = await schedule(at(10), at(11))
    for (const before of minutes) await work(async em => void (await remind(em, await event(em, { id }), before, 'EMAIL')))
    return id
  }

  test('are sent when they are due, once, however many runs there are', async () => {
    await reminded(...Array.from({ length: 30 }, (_none, index) => index + 1), 24 * 60)
    await work(async em => remind(em, (await em.find(SchedulingEvent, {}))[0]!, -120, 'SMS'))
    const sent: string[] = []
    const send = async (_em: ScopedEntityManager, { id }: EventReminder) => void sent.push(id)
    const counts = await Promise.all(Array.from({ length: 20 }, () => work(em => sendReminders(em, at(10), send, 7))))
    while ((await work(em => sendReminders(em, at(10), send, 7))) > 0);
    expect(new Set(sent).size).toBe(31)
    expect(sent).toHaveLength(31)
    expect(Math.max(...counts)).toBe(7)
    const [late, ...done] = (await reminders()).toReversed()
    expect(late).toMatchObject({ status: 'PENDING', remindAt: at(12), attempts: 0 })
    for (const one of done) expect(one).toMatchObject({ status: 'SENT', sentAt: at(10), attempts: 1, error: null })
  })

  test('that fail are tried again later, and what they wrote is gone; others go out', async () => {
    await reminded(10, 20, 30)
    const send = async (em: ScopedEntityManager, { remindAt, tenantId }: EventReminder) => {
      if (remindAt.getTime() !== at(9, 40).getTime()) return
      await tell(em, { type: 'reminder.half_done', log: tenantId })
      await em.execute(`update scheduling_event set title = 'half done'`)
      await em.execute('select 1 / 0')
    }
    expect(await work(em => sendReminders(em, at(9, 55), send))).toBe(3)
    const [early, failing, late] = await reminders()
    expect(failing).toMatchObject({ status: 'PENDING', attempts: 1, dueAt: at(9, 56), remindAt: at(9, 40) })
    expect(failing!.error).toContain('division by zero')
    for (const sent of [early, late]) expect(sent).toMatchObject({ status: 'SENT', attempts: 1 })
    expect(JSON.stringify(await work(async em => (await feed(em, {})).items))).not.toContain('half_done')
    expect(await events()).toMatchObject([{ title: 'A meeting' }])
    expect(await work(em => sendReminders(em, at(9, 55), send))).toBe(0)
    let attempts = 0
    for (let hour = 10; hour < 24; hour++) attempts += await work(em => sendReminders(em, at(hour), send))
    expect(attempts).toBe(4)
    expect((await reminders())[1]).toMatchObject({ status: 'FAILED', attempts: 5 })
  })

  test('keep their distance when the event moves, and begin again when they were sent for the old time', async () => {
    const id = await reminded(30, 60)
    await work(em => sendReminders(em, at(9)))
    const move = async (hour: number, now: Date) =>
      work(async em => rescheduleEvent(em, await event(em, { id }), { startsAt: at(hour), endsAt: at(hour + 1) }, now))
    await move(12, at(9, 15))
    expect(await reminders()).toMatchObject([
      { status: 'PENDING', remindAt: at(11), dueAt: at(11), attempts: 0, sentAt: null },
      { status: 'PENDING', remindAt: at(11, 30), dueAt: at(11, 30) },
    ])
    expect(await work(em => countDueReminders(em, at(11)))).toBe(1)
  })

  test.each([cancelEvent, completeEvent])('that wait go with the event: %o', async end => {
    const id = await reminded(30, 60)
    await work(em => sendReminders(em, at(9)))
    await work(async em => end(em, await event(em, { id })))
    expect(await reminders()).toMatchObject([{ status: 'SENT' }])
    await expect(work(async em => remind(em, await event(em, { id }), 5, 'CHAT'))).rejects.toMatchObject({
      code: 'scheduling.event_closed',
    })
  })

  test('are sent or cancelled, never half, when both happen at once', async () => {
    for (let round = 0; round < 5; round++) {
      const id = await reminded(60)
      await Promise.all([work(async em => cancelEvent(em, await event(em, { id }))), work(em => sendReminders(em, at(9)))])
      expect((await reminders()).filter(({ status }) => status === 'PENDING')).toEqual([])
      expect(await work(em => event(em, { id }))).toMatchObject({ status: 'CANCELLED' })
    }
  })

  test('are told in the log by the job where nothing else delivers them', async () => {
    await reminded(15)
    const job = jobs.find(({ name }) => name === 'send-reminders')!
    await runJob(daybook, job, { at: at(9, 45), dryRun: true })
    expect(await reminders()).toMatchObject([{ status: 'PENDING' }])
    expect(await runJob(daybook, job, { at: at(9, 45) })).toMatchObject({ status: 'OK', failed: 0 })
    const [reminder] = await reminders()
    expect(reminder).toMatchObject({ status: 'SENT' })
    const told = await work(async em => (await feed(em, { entity: EventReminder, entityId: reminder!.id })).items)
    expect(told.map(({ type }) => type)).toContain('reminder.sent')
    expect(await runJob(daybook, job, { at: at(9, 45) })).toMatchObject({ status: 'OK', processed: 0 })
  })
})

test('the database knows every status in which events overlap or not', async () => {
  const { id } = await schedule(at(10), at(11))
  for (const status of eventStatuses) {
    const put = work(em =>
      em.execute(
        `insert into scheduling_event (id, tenant_id, title, starts_at, ends_at, time_zone, organizer_id, status) values (?, ?, 'raw', ?, ?, 'UTC', ?, ?)`,
        [newId(), company.organization.id, at(10), at(11), owner, status],
      ),
    )
    if (status === 'SCHEDULED' || status === 'CONFIRMED') await expect(put).rejects.toThrow(/scheduling_event_no_overlap/)
    else await put
  }
  expect((await events()).map(each => each.id)).toContain(id)
})

test('what people do in their own name is told so', async () => {
  const made = await company.as(undefined, em => scheduleEvent(em, meeting(at(10), at(11))))
  const [told] = await work(async em => (await feed(em, { entity: SchedulingEvent, entityId: made.id })).items)
  expect(told).toMatchObject({ type: 'scheduling-event.created', actorId: userActor(owner).id })
})
