import { describe, expect, test } from 'vitest'
import { agentActor } from '../../src/context/index.ts'
import {
  acceptProposal,
  proposeSlots,
  requestScheduling,
  SchedulingAgentTask,
  type SchedulingRequest,
  type SchedulingEvent,
} from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { why } from '../../src/readers/index.ts'
import { at, event, overlap, useCalendar } from './use-calendar.ts'

const { calendar, work, schedule, events } = useCalendar()

describe('a task of an agent', () => {
  const agent = agentActor(newId())
  const request = (): SchedulingRequest => ({ title: 'A call', organizer: calendar.owner, timeZone: 'UTC', location: 'Room 1' })
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
  const accept = (id: string, index: number) =>
    calendar.company.as(undefined, async em => acceptProposal(em, await task(em, id), index, at(0)))

  test('keeps the addresses of those whom it is to invite as everybody’s are written, and refuses what is none', async () => {
    const ask = (email: string) =>
      work(async em =>
        requestScheduling(em, { source: 'CHAT', type: 'FIND_TIME', request: { ...request(), attendees: [{ email, name: 'Zoé' }] } }),
      )
    expect((await ask(' Zoe\u0301@Zenith.example')).request.attendees).toEqual([{ email: 'zoé@zenith.example', name: 'Zoé' }])
    await expect(ask('zoé\u200b@zenith.example')).rejects.toMatchObject({ code: 'identity.email_invalid' })
  })

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
    await calendar.company.as(undefined, async em => {
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

  test('cancels the event that it is about, and moves nothing', async () => {
    const about = await schedule(at(8), at(9))
    const { id } = await work(async em => requestScheduling(em, { source: 'CHAT', type: 'CANCEL', event: about }))
    const propose = (more: Partial<typeof answer>) =>
      work(async em => {
        const some = await task(em, id)
        some.start()
        await proposeSlots(em, some, { rationale: 'Everything was said', ...more })
      }, agent)
    await expect(propose({ slots })).rejects.toMatchObject({ code: 'scheduling.task_invalid' })
    await propose({})
    const time = { startsAt: at(8).toISOString(), endsAt: at(9).toISOString() }
    expect(await work(em => task(em, id))).toMatchObject({ status: 'PROPOSED', proposals: [time] })
    expect(await accept(id, 0)).toMatchObject({ id: about.id, status: 'CANCELLED', startsAt: at(8), endsAt: at(9) })
    await work(async em => {
      expect(await task(em, id)).toMatchObject({ status: 'DONE' })
      expect(JSON.stringify(await why(em, await event(em, about), 'status'))).toContain('Everything was said')
    })
  })

  test('for a summary proposes nothing', async () => {
    const about = await schedule(at(8), at(9))
    const attempt = work(async em => {
      const some = requestScheduling(em, { source: 'CHAT', type: 'SUMMARIZE', event: about })
      some.start()
      await proposeSlots(em, some, answer)
    }, agent)
    await expect(attempt).rejects.toMatchObject({ code: 'scheduling.task_invalid' })
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
