import { describe, expect, test } from 'vitest'
import { tell } from '../../src/audit/index.ts'
import { cancelEvent, completeEvent, EventReminder, remind, rescheduleEvent, SchedulingEvent, sendReminders } from '../../src/entities.ts'
import { countDueReminders } from '../../src/domain/scheduling/internal.ts'
import { jobs, runJob } from '../../src/jobs/index.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { feed } from '../../src/readers/index.ts'
import { at, event, useCalendar } from './use-calendar.ts'

const { calendar, work, schedule, events } = useCalendar()

describe('reminders', () => {
  const reminders = () => work(em => em.find(EventReminder, {}, { orderBy: { remindAt: 'asc', id: 'asc' } }))
  const reminded = (...minutes: number[]) => remindedOf(at(11), ...minutes)
  const remindedOf = async (endsAt: Date, ...minutes: number[]) => {
    const { id } = await schedule(at(10), endsAt)
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
    await remindedOf(at(23), 10, 20, 30)
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
    for (let hour = 10; hour < 23; hour++) attempts += await work(em => sendReminders(em, at(hour), send))
    expect(attempts).toBe(4)
    expect((await reminders())[1]).toMatchObject({ status: 'FAILED', attempts: 5 })
  })

  test('that fail with what can’t be stored fail alone: others aren’t sent again', async () => {
    await reminded(10, 20)
    let sent = 0
    const send = async (_em: ScopedEntityManager, { remindAt }: EventReminder) => {
      if (remindAt.getTime() === at(9, 50).getTime()) throw new Error(`no \0 \ud800${'-'.repeat(494)}\u{1f600}`)
      sent++
    }
    for (let run = 0; run < 3; run++) await work(em => sendReminders(em, at(9, 50), send))
    expect(sent).toBe(1)
    const [, failed] = await reminders()
    expect(failed).toMatchObject({ status: 'PENDING', attempts: 1, error: expect.stringMatching(/^no {2}\ufffd-+\ufffd$/) as string })
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

  test('begin again with all of their attempts when the event moves', async () => {
    const id = await reminded(30)
    const failing = () => Promise.reject(new Error('no'))
    for (const minute of [30, 31, 36]) await work(em => sendReminders(em, at(9, minute), failing))
    expect(await reminders()).toMatchObject([{ status: 'PENDING', attempts: 3, error: 'no' }])
    await work(async em => rescheduleEvent(em, await event(em, { id }), { startsAt: at(20), endsAt: at(21) }, at(9, 40)))
    expect(await reminders()).toMatchObject([{ status: 'PENDING', attempts: 0, error: null, dueAt: at(19, 30) }])
  })

  test('tell nobody of what is over, unless they are meant for afterwards', async () => {
    const id = await reminded(30, -90)
    const sent: Date[] = []
    const send = async (_em: ScopedEntityManager, { remindAt }: EventReminder) => void sent.push(remindAt)
    expect(await work(em => sendReminders(em, at(11), send))).toBe(1)
    expect(await work(em => sendReminders(em, at(12), send))).toBe(1)
    expect(sent).toEqual([at(11, 30)])
    expect(await reminders()).toMatchObject([{ status: 'FAILED', attempts: 0, error: expect.stringContaining('over') }, { status: 'SENT' }])
    await work(async em => rescheduleEvent(em, await event(em, { id }), { startsAt: at(20), endsAt: at(21) }, at(12)))
    expect(await reminders()).toMatchObject([{ status: 'PENDING', error: null, dueAt: at(19, 30) }, { status: 'PENDING' }])
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
    await runJob(calendar.daybook, job, { at: at(9, 45), dryRun: true })
    expect(await reminders()).toMatchObject([{ status: 'PENDING' }])
    expect(await runJob(calendar.daybook, job, { at: at(9, 45) })).toMatchObject({ status: 'OK', failed: 0 })
    const [reminder] = await reminders()
    expect(reminder).toMatchObject({ status: 'SENT' })
    const told = await work(async em => (await feed(em, { entity: EventReminder, entityId: reminder!.id })).items)
    expect(told.map(({ type }) => type)).toContain('reminder.sent')
    expect(await runJob(calendar.daybook, job, { at: at(9, 45) })).toMatchObject({ status: 'OK', processed: 0 })
  })
})
