import { beforeEach, describe, expect, test } from 'vitest'
import { userActor } from '../../src/context/index.ts'
import {
  CalendarConnection,
  cancelEvent,
  completeEvent,
  connectCalendar,
  EventReminder,
  eventStatuses,
  importEvent,
  remind,
  rescheduleEvent,
  scheduleEvent,
  SchedulingEvent,
  suggestSlots,
} from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import { feed, history, replayProblems } from '../../src/readers/index.ts'
import { foundCompany, hireInto } from '../access/company.ts'
import { at, event, overlap, useCalendar } from './use-calendar.ts'

const { calendar, work, meeting, schedule, events } = useCalendar()

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

  test('is its organizer’s under the id that they have, also where it is spelled in capitals', async () => {
    const { organizer, id } = await schedule(at(10), at(11), { organizer: calendar.owner.toUpperCase() })
    const [told] = await work(em => history(em, [SchedulingEvent, id]))
    expect([organizer.id, told!.event.after?.organizer_id]).toEqual([calendar.owner, calendar.owner])
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
          [newId(), calendar.company.organization.id, at(hour), at(hour, 30), calendar.owner],
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
    const colleague = await hireInto(calendar.daybook, calendar.company)
    await schedule(at(10), at(11))
    await schedule(at(10), at(11), { organizer: colleague.id })
    const elsewhere = await foundCompany(calendar.daybook)
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
  beforeEach(() => calendar.company.as(undefined, em => connectCalendar(em, { provider: 'GOOGLE', externalAccount: 'me', token: 'opens' })))
  const imported = (from: Date, to: Date, more: { externalId?: string; title?: string } = {}) =>
    work(async em => {
      const [connection] = await em.find(CalendarConnection, {})
      const { organizer: _mine, ...details } = meeting(from, to)
      return importEvent(em, connection!, { externalId: 'a', ...details, ...more }, at(0))
    })

  test('that overlaps is a conflict, takes up time, and ends when the other goes away', async () => {
    const { id } = await schedule(at(10), at(11))
    expect(await imported(at(10, 30), at(11, 30))).toMatchObject({ status: 'CONFLICT' })
    const search = {
      people: [calendar.owner],
      durationMinutes: 30,
      between: { from: at(10), to: at(12) },
      timeZones: { [calendar.owner]: 'UTC' },
    }
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

test('the database knows every status in which events overlap or not', async () => {
  const { id } = await schedule(at(10), at(11))
  for (const status of eventStatuses) {
    const put = work(em =>
      em.execute(
        `insert into scheduling_event (id, tenant_id, title, starts_at, ends_at, time_zone, organizer_id, status) values (?, ?, 'raw', ?, ?, 'UTC', ?, ?)`,
        [newId(), calendar.company.organization.id, at(10), at(11), calendar.owner, status],
      ),
    )
    if (status === 'SCHEDULED' || status === 'CONFIRMED') await expect(put).rejects.toThrow(/scheduling_event_no_overlap/)
    else await put
  }
  expect((await events()).map(each => each.id)).toContain(id)
})

test('what people do in their own name is told so', async () => {
  const made = await calendar.company.as(undefined, em => scheduleEvent(em, meeting(at(10), at(11))))
  const [told] = await work(async em => (await feed(em, { entity: SchedulingEvent, entityId: made.id })).items)
  expect(told).toMatchObject({ type: 'scheduling-event.created', actorId: userActor(calendar.owner).id })
})
