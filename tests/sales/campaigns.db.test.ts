import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import {
  activateSequence,
  addProspect,
  addStep,
  advanceCampaigns,
  Campaign,
  CampaignEnrollment,
  campaignStats,
  type CampaignStatus,
  changeStep,
  EmailSequence,
  enroll,
  Message,
  Prospect,
  recordBounce,
  recordDelivered,
  recordFailure,
  recordOpened,
  recordReply,
  recordSent,
  registerOrganization,
  removeStep,
  runCampaign,
  SequenceStep,
} from '../../src/entities.ts'
import { jobs, runJob } from '../../src/jobs/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { replayProblems } from '../../src/readers/index.ts'
import { openTestDatabase } from '../../src/testing/index.ts'

let daybook: Daybook
let tenant: string
let campaign: string
let sequence: string

beforeAll(async () => {
  daybook = (await openTestDatabase({ poolMax: 20 })).daybook
})
afterAll(() => daybook.close())
beforeEach(() => furnish(newId()))

async function furnish(whose: string): Promise<void> {
  tenant = whose
  sequence = await work(async em => {
    const made = em.create(EmailSequence, { name: 'Three' })
    await em.flush()
    await addStep(em, made, { position: 1, delayHours: 1, subject: 'Hello {{firstName}}', bodyTemplate: '<p>{{firstName}}</p>' })
    await addStep(em, made, { position: 2, delayHours: 24, subject: 'Again', bodyTemplate: 'Still {{company}}?' })
    await addStep(em, made, { position: 3, delayHours: 48, channel: 'SMS', bodyTemplate: '{{firstName}}?' })
    await activateSequence(em, made)
    return made.id
  })
  campaign = await work(async em => em.create(Campaign, { name: 'Autumn', sequence, status: 'RUNNING' }).id)
}

function work<T>(does: (em: ScopedEntityManager) => Promise<T>): Promise<T> {
  return daybook.transact({ tenant, actor: systemActor('seller') }, does)
}
const hour = (hours: number) => new Date(Date.UTC(2026, 10, 23, 10) + hours * 3_600_000)
const theCampaign = (em: ScopedEntityManager) => em.findOneOrFail(Campaign, campaign)
const advance = (hours: number, limit?: number) => work(em => advanceCampaigns(em, hour(hours), limit))
const enrollments = () => work(em => em.find(CampaignEnrollment, {}, { orderBy: { id: 'asc' } }))
const messages = () => work(em => em.find(Message, { direction: 'OUTBOUND' }, { populate: ['step'], orderBy: { id: 'asc' } }))

function enrolled(count: number, hours = 0): Promise<string[]> {
  return work(async em => {
    const prospects: Prospect[] = []
    for (let index = 0; index < count; index++) {
      prospects.push(await addProspect(em, { email: `${newId()}@example.com`, firstName: `A & ${index}`, company: 'Engines' }))
    }
    await enroll(em, await theCampaign(em), prospects, hour(hours))
    return prospects.map(({ id }) => id)
  })
}
const change = (id: string, does: (prospect: Prospect) => void) => work(async em => does(await em.findOneOrFail(Prospect, id)))
const tell = (record: typeof recordSent, { id }: Message, hours = 2) =>
  work(async em => record(em, await em.findOneOrFail(Message, id), hour(hours)))

describe('enrolling', () => {
  test('leaves out who is enrolled, deleted, won or lost', async () => {
    const [one, won, gone] = await enrolled(3)
    await change(won!, prospect => (prospect.contact(), prospect.win()))
    await change(gone!, prospect => prospect.softDelete(hour(0)))
    const other = await work(async em => em.create(Campaign, { name: 'Other', sequence }).id)
    const all = [one!, won!, gone!].map(id => Object.assign(new Prospect(), { id }))
    const enlist = () => work(async em => enroll(em, await em.findOneOrFail(Campaign, other), all, hour(0)))
    expect((await enlist()).map(({ prospect }) => prospect.id)).toEqual([one])
    expect(await enlist()).toEqual([])
  })

  test('the same prospects twenty times at once enrols each once', async () => {
    const prospects = await work(async em => {
      const made = []
      for (let index = 0; index < 5; index++) made.push(await addProspect(em, { email: `${index}@example.com` }))
      return made
    })
    const all = await Promise.all(
      Array.from({ length: 20 }, () => work(async em => (await enroll(em, await theCampaign(em), prospects, hour(0))).length)),
    )
    expect(all.reduce((sum, count) => sum + count, 0)).toBe(5)
    expect(await enrollments()).toHaveLength(5)
    expect(await work(em => replayProblems(em))).toEqual([])
  })

  test('waits for the campaign to start, and is refused once it is over', async () => {
    await work(async em => void ((await theCampaign(em)).startsAt = hour(100)))
    await enrolled(1)
    expect(await enrollments()).toMatchObject([{ nextAt: hour(101), nextStep: 1 }])
    await work(async em => (await theCampaign(em)).finish())
    await expect(enrolled(1)).rejects.toMatchObject({ code: 'sales.campaign_closed' })
  })
})

describe('advancing', () => {
  test('sends the steps one after the other, each in its time, and then is done', async () => {
    const [prospect] = await enrolled(1)
    expect(await advance(0)).toBe(0)
    expect(await advance(1)).toBe(1)
    expect(await advance(24)).toBe(0)
    expect(await advance(25)).toBe(1)
    expect(await advance(73)).toBe(1)
    expect(await advance(1_000)).toBe(0)
    const sent = await messages()
    expect(sent.map(({ channel, subject, body, status }) => [channel, subject, body, status])).toEqual([
      ['EMAIL', 'Hello A & 0', '<p>A &amp; 0</p>', 'QUEUED'],
      ['EMAIL', 'Again', 'Still Engines?', 'QUEUED'],
      ['SMS', null, 'A & 0?', 'QUEUED'],
    ])
    for (const message of sent)
      expect(message).toMatchObject({ prospect: { id: prospect }, campaign: { id: campaign }, direction: 'OUTBOUND' })
    expect(await enrollments()).toMatchObject([{ stopReason: 'COMPLETED', stoppedAt: hour(73) }])
  })

  test('twenty times at once makes no message twice', async () => {
    await enrolled(60)
    for (const hours of [1, 25, 73]) {
      const done = await Promise.all(Array.from({ length: 20 }, () => advance(hours, 7)))
      let rest = done.reduce((sum, count) => sum + count, 0)
      for (let count = -1; count !== 0; rest += count) count = await advance(hours, 50)
      expect(rest).toBe(60)
    }
    const pairs = (await messages()).map(({ prospect, step }) => `${prospect!.id} ${step!.id}`)
    expect(pairs).toHaveLength(180)
    expect(new Set(pairs).size).toBe(180)
    expect(new Set((await enrollments()).map(({ stopReason }) => stopReason))).toEqual(new Set(['COMPLETED']))
    expect(await work(em => replayProblems(em))).toEqual([])
  })

  test('is kept from sending twice by the database too', async () => {
    await enrolled(1)
    await advance(1)
    const copy = `insert into message (id, tenant_id, channel, campaign_id, step_id, prospect_id, body)
      select gen_random_uuid(), tenant_id, channel, campaign_id, step_id, prospect_id, body from message`
    await expect(work(em => em.execute(copy))).rejects.toThrow(/message_tenant_id_campaign_id_prospect_id_step_id_unique/)
  })

  test('takes a step that was moved back only once', async () => {
    await enrolled(1)
    await advance(1)
    await work(async em => (await em.findOneOrFail(EmailSequence, sequence)).pause())
    await work(async em => {
      const [first, second, third] = await em.find(SequenceStep, { sequence }, { orderBy: { position: 'asc' } })
      await changeStep(em, third!, { position: 9 })
      await changeStep(em, second!, { position: 3 })
      await changeStep(em, first!, { position: 2 })
      await changeStep(em, third!, { position: 1 })
      await activateSequence(em, await em.findOneOrFail(EmailSequence, sequence))
    })
    await advance(25)
    await advance(200)
    expect((await messages()).map(({ subject }) => subject)).toEqual(['Hello A & 0', 'Again'])
  })

  const waits: readonly (readonly [string, (em: ScopedEntityManager) => Promise<void>])[] = [
    ['a campaign is paused', async em => (await theCampaign(em)).pause()],
    ['a campaign is over', async em => (await theCampaign(em)).finish()],
    ['a sequence is paused', async em => (await em.findOneOrFail(EmailSequence, sequence)).pause()],
    ['a sequence is archived', async em => (await em.findOneOrFail(EmailSequence, sequence)).archive()],
  ]
  test.each(waits)('does nothing while %s', async (_what, does) => {
    await enrolled(1)
    await work(does)
    expect(await advance(500)).toBe(0)
    expect(await messages()).toEqual([])
  })

  test.each([
    ['REPLIED', recordReply],
    ['BOUNCED', recordBounce],
  ] as const)('stops with who %s', async (reason, record) => {
    await enrolled(2)
    await advance(1)
    const [first] = await messages()
    await tell(record, first!)
    expect(await advance(200)).toBe(1)
    expect(await messages()).toHaveLength(3)
    const stopped = (await enrollments()).find(({ prospect }) => prospect.id === first!.prospect!.id)
    expect(stopped).toMatchObject({ stopReason: reason, stoppedAt: hour(2) })
  })

  test('stops with who answered before the enrolment knew', async () => {
    await enrolled(1)
    await advance(1)
    await work(em => em.execute(`update message set status = 'REPLIED', replied_at = now()`))
    await advance(200)
    expect(await enrollments()).toMatchObject([{ stopReason: 'REPLIED', stoppedAt: hour(200) }])
    expect(await messages()).toHaveLength(1)
  })

  const settled: readonly (readonly [string, (prospect: Prospect) => void])[] = [
    ['DELETED', prospect => prospect.softDelete(hour(2))],
    ['WON', prospect => (prospect.contact(), prospect.win())],
    ['LOST', prospect => prospect.lose()],
  ]
  test.each(settled)('stops with who is %s', async (reason, does) => {
    const [id] = await enrolled(1)
    await change(id!, does)
    expect(await advance(200)).toBe(1)
    expect(await messages()).toEqual([])
    expect(await enrollments()).toMatchObject([{ stopReason: reason }])
  })

  test('and replies at the same time end without a deadlock, and nobody who answered gets more than what was queued', async () => {
    await enrolled(20)
    await advance(1)
    const first = await messages()
    await Promise.all([
      ...first.map(message => tell(recordReply, message, 25)),
      ...Array.from({ length: 10 }, () => advance(25, 5)),
      ...first.map(message => tell(recordSent, message, 2)),
    ])
    await advance(500)
    const perProspect = Map.groupBy(await messages(), ({ prospect }) => prospect!.id)
    expect(Math.max(...[...perProspect.values()].map(list => list.length))).toBeLessThanOrEqual(2)
    for (const enrollment of await enrollments()) expect(enrollment).toMatchObject({ stopReason: 'REPLIED', stoppedAt: hour(25) })
    expect(await work(em => em.count(Prospect, { status: 'ENGAGED' }))).toBe(20)
  })

  test('begins and ends campaigns in their time', async () => {
    await work(async em => {
      const one = await theCampaign(em)
      Object.assign(one, { status: 'SCHEDULED', startsAt: hour(10), endsAt: hour(20) })
    })
    const status = () => work(async em => (await theCampaign(em)).status)
    await enrolled(1)
    expect([await advance(9), await status()]).toEqual([0, 'SCHEDULED'])
    expect([await advance(11), await status()]).toEqual([2, 'RUNNING'])
    expect([await advance(20), await status()]).toEqual([1, 'DONE'])
    expect(await advance(500)).toBe(0)
    expect(await messages()).toHaveLength(1)
  })

  test('is a job, which says beforehand how much there is to do', async () => {
    const organization = { name: 'Sellers' }
    const registered = await registerOrganization(daybook, { email: `${newId()}@example.com`, password: 'a long enough one', organization })
    await furnish(registered.organization.id)
    await enrolled(3)
    const job = jobs.find(({ name }) => name === 'advance-campaigns')!
    expect(await runJob(daybook, job, { at: hour(1), dryRun: true })).toMatchObject({ status: 'OK', processed: 3 })
    expect(await messages()).toEqual([])
    expect(await runJob(daybook, job, { at: hour(1) })).toMatchObject({ status: 'OK', processed: 3 })
    expect(await messages()).toHaveLength(3)
    expect(await runJob(daybook, job, { at: hour(1) })).toMatchObject({ status: 'OK', processed: 0 })
  })
})

describe('a campaign', () => {
  test('runs only with a sequence that is active', async () => {
    await work(async em => (await em.findOneOrFail(EmailSequence, sequence)).pause())
    const id = await work(async em => em.create(Campaign, { name: 'New', sequence }).id)
    const run = () => work(async em => runCampaign(em, await em.findOneOrFail(Campaign, id)))
    await expect(run()).rejects.toMatchObject({ code: 'sales.sequence_inactive' })
    await work(async em => activateSequence(em, await em.findOneOrFail(EmailSequence, sequence)))
    await run()
    expect((await work(em => em.findOneOrFail(Campaign, id))).status).toBe<CampaignStatus>('RUNNING')
  })

  test('counts how far its messages came', async () => {
    await enrolled(7)
    await advance(1)
    const [queued, sent, delivered, opened, replied, bounced, failed] = await messages()
    await tell(recordSent, sent!)
    await tell(recordDelivered, delivered!)
    await tell(recordOpened, opened!)
    await work(async em => recordReply(em, await em.findOneOrFail(Message, replied!.id), hour(2), 'Yes please.'))
    await tell(recordBounce, bounced!)
    await tell(recordFailure, failed!)
    expect(queued!.status).toBe('QUEUED')
    const stats = { enrolled: 7, stopped: 2, queued: 1, sent: 5, delivered: 3, opened: 2, replied: 1, bounced: 1, failed: 1 }
    expect(await work(async em => campaignStats(em, await theCampaign(em)))).toEqual(stats)
    expect((await work(theCampaign)).stats).toEqual(stats)
    const [answer] = await work(em => em.find(Message, { direction: 'INBOUND' }))
    expect(answer).toMatchObject({ body: 'Yes please.', prospect: { id: replied!.prospect!.id }, step: null })
  })

  test('that is counted ten times at once is counted right', async () => {
    await enrolled(2)
    await advance(1)
    const all = await Promise.all(Array.from({ length: 10 }, () => work(async em => campaignStats(em, await theCampaign(em)))))
    for (const stats of all) expect(stats).toMatchObject({ enrolled: 2, queued: 2, sent: 0 })
  })
})

describe('what is told of a message', () => {
  test('brings its prospect on, and never back', async () => {
    const [id] = await enrolled(1)
    await advance(1)
    const [message] = await messages()
    const status = () => work(async em => (await em.findOneOrFail(Prospect, id!)).status)
    await tell(recordSent, message!)
    expect(await status()).toBe('CONTACTED')
    await tell(recordReply, message!)
    expect(await status()).toBe('ENGAGED')
    await change(id!, prospect => prospect.win())
    await tell(recordReply, message!)
    await tell(recordSent, message!)
    expect(await status()).toBe('WON')
  })

  test('twice, and by many at once, is told once', async () => {
    await enrolled(1)
    await advance(1)
    const [message] = await messages()
    const replies = Array.from({ length: 10 }, () =>
      work(async em => recordReply(em, await em.findOneOrFail(Message, message!.id), hour(2), 'Yes.')),
    )
    await Promise.all([...replies, tell(recordOpened, message!, 1), tell(recordSent, message!, 1)])
    expect(await messages()).toMatchObject([{ status: 'REPLIED', repliedAt: hour(2), openedAt: hour(1), sentAt: hour(1) }])
    expect(await work(em => em.count(Message, { direction: 'INBOUND' }))).toBe(1)
  })
})

describe('steps', () => {
  const step = (em: ScopedEntityManager) => em.findOneOrFail(SequenceStep, { sequence, position: 2 })
  const attempts: readonly (readonly [string, (em: ScopedEntityManager) => Promise<unknown>])[] = [
    ['added', async em => addStep(em, await em.findOneOrFail(EmailSequence, sequence), { position: 4, subject: 'a', bodyTemplate: 'b' })],
    ['changed', async em => changeStep(em, await step(em), { delayHours: 3 })],
    ['removed', async em => removeStep(em, await step(em))],
  ]

  test.each(attempts)('aren’t %s while their sequence is active or archived, and are while it is paused', async (_what, attempt) => {
    await expect(work(attempt)).rejects.toMatchObject({ code: 'sales.sequence_locked' })
    await work(async em => (await em.findOneOrFail(EmailSequence, sequence)).pause())
    await work(attempt)
    await work(async em => (await em.findOneOrFail(EmailSequence, sequence)).archive())
    const sequenceNow = work(async em => addStep(em, await em.findOneOrFail(EmailSequence, sequence), { position: 8, bodyTemplate: 'b' }))
    await expect(sequenceNow).rejects.toMatchObject({ code: 'sales.sequence_locked' })
  })

  test('that leave a gap keep their sequence from being active', async () => {
    await work(async em => (await em.findOneOrFail(EmailSequence, sequence)).pause())
    await work(async em => removeStep(em, await step(em)))
    const activate = () => work(async em => activateSequence(em, await em.findOneOrFail(EmailSequence, sequence)))
    await expect(activate()).rejects.toMatchObject({ code: 'sales.sequence_invalid', details: { problems: ['step 2 is missing'] } })
    await work(async em => changeStep(em, await em.findOneOrFail(SequenceStep, { sequence, position: 3 }), { position: 2 }))
    await activate()
  })

  test('wait for whoever activates their sequence, and then stay', async () => {
    await work(async em => (await em.findOneOrFail(EmailSequence, sequence)).pause())
    let activated = () => {}
    const isActivated = new Promise<void>(resolve => (activated = resolve))
    const activating = work(async em => {
      await activateSequence(em, await em.findOneOrFail(EmailSequence, sequence))
      activated()
      await new Promise(resolve => setTimeout(resolve, 300))
    })
    await isActivated
    await expect(work(async em => removeStep(em, await step(em)))).rejects.toMatchObject({ code: 'sales.sequence_locked' })
    await activating
  })

  test('of which there are messages stay', async () => {
    await enrolled(1)
    await advance(1)
    await work(async em => (await em.findOneOrFail(EmailSequence, sequence)).pause())
    const attempt = work(async em => removeStep(em, await em.findOneOrFail(SequenceStep, { sequence, position: 1 })))
    await expect(attempt).rejects.toMatchObject({ code: expect.stringMatching(/^23001|23503$/) })
  })
})
