import { describe, expect, test } from 'vitest'
import { cancelEvent, scheduleEvent, suggestSlots, type User } from '../../src/entities.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { foundCompany, hireInto } from '../access/company.ts'
import { at, event, useCalendar } from './use-calendar.ts'

const { calendar, work, meeting, schedule } = useCalendar()

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
    const people = [calendar.company.owner, await hireInto(calendar.daybook, calendar.company)]
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
    const colleague = await hireInto(calendar.daybook, calendar.company)
    const invited = (response?: 'DECLINED') => [{ email: colleague.email.toUpperCase(), ...(response && { response }) }]
    await schedule(at(9), at(10), { organizer: colleague.id })
    await schedule(at(10), at(11), { attendees: invited() })
    await schedule(at(11), at(12), { attendees: invited('DECLINED') })
    const gone = await schedule(at(12), at(13), { attendees: invited() })
    await work(async em => cancelEvent(em, await event(em, gone)))
    const elsewhere = await foundCompany(calendar.daybook)
    await elsewhere.as(undefined, em => scheduleEvent(em, meeting(at(13), at(14), { organizer: elsewhere.owner.id, attendees: invited() })))
    const found = await work(em => offices(em, [colleague], ['UTC'], '2026-11-23', { stepMinutes: 60 }))
    expect(times(found)).toEqual(['11:00', '12:00', '13:00', '14:00', '15:00', '16:00'])
    const none = elsewhere.as(undefined, em => offices(em, [colleague], ['UTC'], '2026-11-23'))
    await expect(none).rejects.toMatchObject({ code: 'scheduling.person_unknown' })
  })

  test('can be scheduled, one after the other, until none is left', async () => {
    const search = {
      durationMinutes: 60,
      limit: 1,
      between: { from: at(0), to: at(24) },
      timeZones: { [calendar.owner]: 'UTC' },
      people: [calendar.owner],
    }
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
    const search = { people: [calendar.owner], durationMinutes: 30, between: { from: at(0), to: at(24) }, ...more }
    await expect(work(em => suggestSlots(em, search))).rejects.toMatchObject({ code: 'scheduling.search_invalid' })
  })
})
