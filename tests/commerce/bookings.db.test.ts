import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { AuditBooking, blockSlot, book, type BookingInput, BookingSlot, cancelBooking, rescheduleBooking } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { history, replayProblems } from '../../src/readers/index.ts'
import { openTestDatabase } from '../../src/testing/index.ts'

let daybook: Daybook
let tenant: string
let id: string

beforeAll(async () => {
  ;({ daybook } = await openTestDatabase({ poolMax: 20 }))
})
afterAll(() => daybook.close())
beforeEach(async () => {
  tenant = newId()
  id = await makeSlot({ capacity: 3 })
})

const at = new Date('2026-11-23T10:00:00Z')
const hour = (after: number) => new Date(at.getTime() + after * 3_600_000)
const work = <T>(does: (em: ScopedEntityManager) => Promise<T>): Promise<T> =>
  daybook.transact({ tenant, actor: systemActor('desk') }, does)
const makeSlot = (more: Partial<BookingSlot> = {}) =>
  work(async em => em.create(BookingSlot, { startsAt: hour(1), endsAt: hour(2), timeZone: 'Europe/Paris', ...more }).id)
const slot = (em: ScopedEntityManager, of = id) => em.findOneOrFail(BookingSlot, of)
const seats = (of = id) => work(async em => (await slot(em, of)).booked)
const input: BookingInput = { auditType: 'WEBSITE', contactEmail: 'Ada@Example.com', contactName: 'Ada', timeZone: 'America/Toronto' }
const take = (of = id) => work(async em => book(em, await slot(em, of), input, at))
const rawBooking = (status = 'SCHEDULED') => `insert into audit_booking
  (id, tenant_id, slot_id, audit_type, status, contact_email, contact_name, time_zone)
  select gen_random_uuid(), s.tenant_id, s.id, 'SECURITY', '${status}', 'a@example.com', 'A', 'UTC' from booking_slot s where s.id = ?`

describe('a booking', () => {
  test('takes a seat, which is known at once', async () => {
    await work(async em => {
      const some = await slot(em)
      const booking = await book(em, some, input, at)
      expect(booking).toMatchObject({ status: 'SCHEDULED', contactEmail: 'ada@example.com', timeZone: 'America/Toronto' })
      expect(some.booked).toBe(1)
    })
    expect(await seats()).toBe(1)
  })

  test.each([
    ['blocked', { isBlocked: true }],
    ['blocked', { isBlocked: true, kind: 'BLOCKED' as const }],
    ['past', { startsAt: at }],
  ])('of a slot that is %s is refused', async (reason, more) => {
    const other = await makeSlot(more)
    await expect(take(other)).rejects.toMatchObject({ code: 'commerce.slot_unavailable', details: { reason } })
  })

  test('says a time zone that there is, and an address that is one', async () => {
    const attempt = (more: Partial<BookingInput>) => work(async em => book(em, await slot(em), { ...input, ...more }, at))
    await expect(attempt({ timeZone: 'Mars/Olympus' })).rejects.toMatchObject({ code: 'scheduling.time_zone_unknown' })
    await expect(attempt({ contactEmail: 'ada' })).rejects.toMatchObject({ code: 'identity.email_invalid' })
  })

  test('of the last seat is one of fifty that are tried at once', async () => {
    const last = await makeSlot()
    const attempts = await Promise.allSettled(Array.from({ length: 50 }, () => take(last)))
    const refusals = attempts.flatMap(attempt => (attempt.status === 'rejected' ? [attempt.reason as unknown] : []))
    expect(refusals).toHaveLength(49)
    for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'commerce.slot_unavailable', details: { reason: 'full' } })
    expect(await work(em => em.count(AuditBooking, { slot: last }))).toBe(1)
    expect(await seats(last)).toBe(1)
  })

  test('of one too many is refused by the database, fifty at once included', async () => {
    const last = await makeSlot()
    const attempts = await Promise.allSettled(Array.from({ length: 50 }, () => work(em => em.execute(rawBooking(), [last]))))
    const refusals = attempts.flatMap(attempt => (attempt.status === 'rejected' ? [attempt.reason as unknown] : []))
    expect(refusals).toHaveLength(49)
    for (const refusal of refusals)
      expect(refusal).toMatchObject({ code: '23514', message: expect.stringContaining('booking_slot_seats') as string })
    expect(await work(em => em.count(AuditBooking, { slot: last }))).toBe(1)
  })

  test('also when each sees the slot as it was before the others', async () => {
    const last = await makeSlot()
    const attempt = () =>
      daybook.transact(
        { tenant, actor: systemActor('desk') },
        async em => {
          await slot(em, last)
          await em.execute(rawBooking(), [last])
        },
        { isolation: 'repeatable read' as never },
      )
    await Promise.allSettled(Array.from({ length: 10 }, attempt))
    expect(await work(em => em.count(AuditBooking, { slot: last }))).toBe(1)
  })

  test('that is cancelled or deleted frees its seat, once', async () => {
    const [first, second] = [await take(), await take()]
    await work(em => cancelBooking(em, first))
    expect(await seats()).toBe(1)
    await expect(work(em => cancelBooking(em, first))).rejects.toMatchObject({ code: 'state.transition_refused' })
    await work(em => em.execute(`update audit_booking set status = 'CANCELLED'`))
    expect(await seats()).toBe(0)
    await work(em => em.nativeDelete(AuditBooking, second.id))
    expect(await seats()).toBe(0)
    await work(em => em.execute(rawBooking(), [id]))
    await work(em => em.nativeDelete(AuditBooking, { status: 'SCHEDULED' }))
    expect(await seats()).toBe(0)
  })

  test('that two cancel at once frees one seat', async () => {
    const booking = await take()
    await take()
    await Promise.allSettled([1, 2, 3, 4].map(() => work(em => cancelBooking(em, booking))))
    expect(await seats()).toBe(1)
  })

  test('keeps its seat while and after it takes place', async () => {
    const booking = await take()
    for (const move of ['confirm', 'start', 'complete'] as const) {
      await work(async em => (await em.findOneOrFail(AuditBooking, booking.id))[move]())
      expect(await seats()).toBe(1)
    }
  })

  test('that is rescheduled becomes another one, and gives its seat back', async () => {
    const [old, other] = [await take(), await makeSlot()]
    const booking = await work(async em => rescheduleBooking(em, old, await slot(em, other), at))
    expect(booking).toMatchObject({ status: 'SCHEDULED', contactName: 'Ada', replaces: { id: old.id }, slot: { id: other } })
    expect(await work(em => em.findOneOrFail(AuditBooking, old.id))).toMatchObject({ status: 'RESCHEDULED' })
    expect([await seats(), await seats(other)]).toEqual([0, 1])
  })

  test('stays where it is when the other slot has no seat', async () => {
    const [old, full] = [await take(), await makeSlot()]
    await take(full)
    for (const to of [full, id]) {
      const attempt = work(async em => rescheduleBooking(em, old, await slot(em, to), at))
      await expect(attempt).rejects.toMatchObject({ code: 'commerce.slot_unavailable' })
    }
    expect(await work(em => em.findOneOrFail(AuditBooking, old.id))).toMatchObject({ status: 'SCHEDULED' })
    expect([await seats(), await seats(full)]).toEqual([1, 1])
  })

  test('that changes places with another at once doesn’t wait for it for ever', async () => {
    const other = await makeSlot({ capacity: 3 })
    const [here, there] = [await take(), await take(other)]
    await Promise.all([
      work(async em => rescheduleBooking(em, here, await slot(em, other), at)),
      work(async em => rescheduleBooking(em, there, await slot(em), at)),
    ])
    expect([await seats(), await seats(other)]).toEqual([1, 1])
  })
})

describe('a slot', () => {
  test('with bookings isn’t blocked, whoever tries; without it is', async () => {
    const booking = await take()
    await expect(work(async em => blockSlot(em, await slot(em)))).rejects.toMatchObject({ code: 'commerce.slot_in_use' })
    await expect(work(em => em.execute('update booking_slot set is_blocked = true'))).rejects.toMatchObject({ code: '23514' })
    await work(em => cancelBooking(em, booking))
    expect(await work(async em => blockSlot(em, await slot(em)))).toMatchObject({ isBlocked: true })
    await expect(work(em => em.execute(rawBooking(), [id]))).rejects.toMatchObject({ code: '23514' })
  })

  test('that is blocked while somebody books it is one or the other', async () => {
    await Promise.allSettled([take(), work(async em => blockSlot(em, await slot(em))), take()])
    const { booked, isBlocked } = await work(em => slot(em))
    expect(isBlocked).toBe(booked === 0)
  })

  test.each([
    ['fewer seats than are taken', 'update booking_slot set capacity = 1'],
    ['no seats', 'update booking_slot set capacity = 0'],
    ['another count than that of its bookings', 'update booking_slot set booked = 0'],
    ['an end before its beginning', 'update booking_slot set ends_at = starts_at'],
    ['nobody who may book it, and yet open', `update booking_slot set kind = 'BLOCKED'`],
    [
      'seats taken from the beginning',
      `insert into booking_slot (id, tenant_id, starts_at, ends_at, time_zone, booked)
         select gen_random_uuid(), tenant_id, starts_at, ends_at, time_zone, 1 from booking_slot limit 1`,
    ],
  ])('with %s is refused', async (_what, sql) => {
    await take()
    await take()
    await expect(work(em => em.execute(sql))).rejects.toMatchObject({ code: '23514' })
  })

  test('that was written before a booking counts itself into it is told in that order', async () => {
    await work(async em => {
      const some = await slot(em)
      some.timeZone = 'Europe/Rome'
      await em.flush()
      em.create(AuditBooking, { ...input, contactEmail: 'ada@example.com', slot: some })
      await em.flush()
      some.timeZone = 'Europe/Oslo'
    })
    await work(async em => {
      expect(await replayProblems(em)).toEqual([])
      const told = (await history(em, [BookingSlot, id]))
        .slice(1)
        .map(({ event }) => [event.source, event.after!.time_zone ?? event.after!.booked])
      expect(told).toEqual([
        ['unit-of-work', 'Europe/Rome'],
        ['database', 1],
        ['unit-of-work', 'Europe/Oslo'],
      ])
    })
  })

  test('and its bookings are what the log tells', async () => {
    await work(async em => cancelBooking(em, await book(em, await slot(em), input, at)))
    await take()
    await work(em => em.execute(rawBooking(), [id]))
    await work(async em => expect(await replayProblems(em)).toEqual([]))
  })
})
