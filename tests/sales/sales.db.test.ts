import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor, userActor } from '../../src/context/index.ts'
import {
  acceptInsight,
  addProspect,
  AIInsight,
  createProfile,
  dismissInsight,
  IdealCustomerProfile,
  linkTask,
  Message,
  Prospect,
  type ProspectInput,
  registerOrganization,
  restoreProspect,
  reviseProfile,
  scoreProspect,
  searchProspects,
  Task,
} from '../../src/entities.ts'
import { DecisionLog } from '../../src/audit/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { asOf, feed, history, replayProblems, restore, why } from '../../src/readers/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { administer } from '../../src/testing/test-server.ts'

let database: TestDatabase
let daybook: Daybook
let tenant: string

beforeAll(async () => {
  database = await openTestDatabase({ poolMax: 20 })
  daybook = database.daybook
})
afterAll(() => daybook.close())
beforeEach(() => (tenant = newId()))

const at = new Date('2026-11-23T10:00:00Z')
function work<T>(does: (em: ScopedEntityManager) => Promise<T>, whose = tenant): Promise<T> {
  return daybook.transact({ tenant: whose, actor: systemActor('seller') }, does)
}
const add = (input: Partial<ProspectInput> = {}, whose?: string) =>
  work(em => addProspect(em, { email: `${newId()}@example.com`, ...input }), whose)
const prospect = (em: ScopedEntityManager, id: string) => em.findOneOrFail(Prospect, id, { filters: { live: false } })
const remove = ({ id }: Prospect) => work(async em => (await prospect(em, id)).softDelete(at))

describe('a prospect', () => {
  test('is taken in with its address and domain in lower case', async () => {
    const { id } = await add({ email: ' Ada@Example.COM ', companyDomain: 'Engines.Example' })
    expect(await work(em => prospect(em, id))).toMatchObject({ email: 'ada@example.com', companyDomain: 'engines.example', status: 'NEW' })
    await expect(work(em => em.execute(`update prospect set email = 'Ada@example.com'`))).rejects.toThrow(/prospect_email_lower_case/)
    await expect(add({ email: 'ada' })).rejects.toMatchObject({ code: 'identity.email_invalid' })
  })

  test('is one per address, also when twenty take it in at once, and another tenant has its own', async () => {
    const attempts = await Promise.allSettled(Array.from({ length: 20 }, () => add({ email: 'ada@example.com' })))
    const failures = attempts.flatMap(attempt => (attempt.status === 'rejected' ? [attempt.reason as unknown] : []))
    expect(failures).toHaveLength(19)
    for (const failure of failures) expect(failure).toMatchObject({ code: 'sales.email_taken' })
    await add({ email: 'ada@example.com' }, newId())
  })

  test('that is refused leaves the transaction as it was', async () => {
    await add({ email: 'ada@example.com' })
    await work(async em => {
      await expect(addProspect(em, { email: 'ada@example.com' })).rejects.toMatchObject({ code: 'sales.email_taken' })
      await addProspect(em, { email: 'grace@example.com' })
    })
    expect(await work(em => em.count(Prospect))).toBe(2)
  })

  test('that is deleted frees its address, and isn’t restored while another has it', async () => {
    const first = await add({ email: 'ada@example.com' })
    await remove(first)
    expect(await work(em => em.count(Prospect))).toBe(0)
    const second = await add({ email: 'ada@example.com' })
    await work(async em => {
      const deleted = await prospect(em, first.id)
      await expect(restoreProspect(em, deleted)).rejects.toMatchObject({ code: 'sales.email_taken' })
      expect(deleted.deletedAt).toEqual(at)
      deleted.company = 'Engines'
    })
    expect(await work(em => prospect(em, first.id))).toMatchObject({ deletedAt: at, company: 'Engines' })
    await remove(second)
    await work(async em => restoreProspect(em, await prospect(em, first.id)))
    expect(await work(em => em.find(Prospect, {}))).toMatchObject([{ id: first.id, deletedAt: null }])
    expect(await work(em => replayProblems(em))).toEqual([])
  })

  test('that two restore at once is restored once', async () => {
    const ids: string[] = []
    for (let index = 0; index < 5; index++) {
      const one = await add({ email: 'ada@example.com' })
      await remove(one)
      ids.push(one.id)
    }
    const attempts = await Promise.allSettled(ids.map(id => work(async em => restoreProspect(em, await prospect(em, id)))))
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const attempt of attempts) if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject({ code: 'sales.email_taken' })
    expect(await work(em => em.count(Prospect))).toBe(1)
  })
})

describe('the search', () => {
  const found = async (words: string, whose?: string) => (await work(em => searchProspects(em, words), whose)).map(({ email }) => email)

  test('finds by name, company and address, the best first, and follows changes', async () => {
    const { id } = await add({ email: 'ada@engines.example', firstName: 'Ada', lastName: 'Lovelace', company: 'Analytical Engines' })
    await add({ email: 'grace@navy.example', firstName: 'Grace', company: 'Lovelace Ltd' })
    expect(await found('lovelace')).toEqual(['ada@engines.example', 'grace@navy.example'])
    expect(await found('"analytical engines"')).toEqual(['ada@engines.example'])
    expect(await found('lovelace -ada')).toEqual(['grace@navy.example'])
    expect(await found('grace@navy.example')).toEqual(['grace@navy.example'])
    expect(await found('love\0lace -ada')).toEqual(['grace@navy.example'])
    expect(await found(`'); drop table prospect; --`)).toEqual([])
    await work(async em => void ((await prospect(em, id)).lastName = 'King'))
    expect(await found('lovelace')).toEqual(['grace@navy.example'])
  })

  test('finds neither what is deleted nor what is another tenant’s', async () => {
    const one = await add({ firstName: 'Ada' })
    expect(await found('ada')).toHaveLength(1)
    expect(await found('ada', newId())).toEqual([])
    await remove(one)
    expect(await found('ada')).toEqual([])
  })

  test('tells the log what was changed in words and not in vectors', async () => {
    const { id } = await add({ firstName: 'Ada' })
    await work(em => em.execute(`update prospect set first_name = 'Augusta' where id = ?`, [id]))
    const [raw, ...flushed] = await work(async em => (await feed(em, { entity: Prospect, entityId: id })).items)
    expect(raw).toMatchObject({ source: 'database', after: { first_name: 'Augusta' } })
    for (const event of [raw!, ...flushed]) expect(Object.keys(event.after ?? {})).not.toContain('search_vector')
    expect(await work(em => replayProblems(em))).toEqual([])
  })

  test('uses its index for those who serve', async () => {
    if (!database.urls) return
    const other = newId()
    await work(em =>
      em.execute(
        `insert into prospect (id, tenant_id, email, first_name) select gen_random_uuid(), ?, n || '@example.com', 'name' || n from generate_series(1, 5000) n`,
        [tenant],
      ),
    )
    await work(
      em =>
        em.execute(`insert into prospect (id, tenant_id, email, first_name) values (gen_random_uuid(), ?, 'a@example.com', 'name7')`, [
          other,
        ]),
      other,
    )
    await administer(database.urls.administrator, 'analyze prospect')
    const scans = async () => {
      const [row] = await administer(
        database.urls!.administrator,
        `select idx_scan::int as scans from pg_stat_user_indexes where indexrelname = 'prospect_search'`,
      )
      return row!.scans as number
    }
    const before = await scans()
    const search = async (em: ScopedEntityManager) => {
      await em.execute('select pg_stat_force_next_flush()')
      return searchProspects(em, 'name7')
    }
    expect((await work(search)).map(({ email }) => email)).toEqual(['7@example.com'])
    await expect.poll(scans, { timeout: 20_000 }).toBeGreaterThan(before)
  })
})

describe('a profile', () => {
  const weights = { completeness: 1 }
  const refused: readonly (readonly [string, object])[] = [
    ['a weight below 0', { weights: { completeness: -1, engagement: 2 } }],
    ['a weight that is no number', { weights: { completeness: Number.NaN } }],
    ['weights that are all 0', { weights: { completeness: 0 } }],
    ['no weight', { weights: {} }],
    ['sizes the wrong way round', { weights, sizeMin: 10, sizeMax: 9 }],
    ['a size below 0', { weights, sizeMin: -1 }],
    ['a weight for an industry that it doesn’t name', { weights: { industry: 1 } }],
    ['a weight for a criterion that it doesn’t have', { weights: { toString: 1 } }],
    ['a criterion whose name has a meaning', { weights, criteria: { region: ['DE'] } }],
  ]

  test.each(refused)('with %s is refused', async (_what, input) => {
    const attempt = work(async em => createProfile(em, { name: 'Ours', weights, ...input }))
    await expect(attempt).rejects.toMatchObject({ code: 'sales.profile_invalid' })
    const { id } = await work(async em => createProfile(em, { name: 'Ours', weights }))
    const revision = work(async em => reviseProfile(await em.findOneOrFail(IdealCustomerProfile, id), input))
    await expect(revision).rejects.toMatchObject({ code: 'sales.profile_invalid' })
  })

  test.each([
    [`weights = '{"a": -1, "b": 2}'`],
    [`weights = '{"a": 0}'`],
    [`weights = '{}'`],
    [`weights = '{"a": "1", "b": 1}'`],
    [`weights = '[{"a": 1}]'`],
    [`weights = 'null'`],
    ['size_min = 9, size_max = 8'],
  ])('is kept sound by the database: %s', async assignment => {
    await work(async em => createProfile(em, { name: 'Ours', weights }))
    await expect(work(em => em.execute(`update ideal_customer_profile set ${assignment}`))).rejects.toThrow(/check constraint/)
  })

  test('is revised in part', async () => {
    const { id } = await work(async em => createProfile(em, { name: 'Ours', weights, regions: ['DE'] }))
    await work(async em => reviseProfile(await em.findOneOrFail(IdealCustomerProfile, id), { weights: { region: 2 } }))
    expect(await work(em => em.findOneOrFail(IdealCustomerProfile, id))).toMatchObject({
      weights: { region: 2 },
      regions: ['DE'],
      version: 2,
    })
  })
})

describe('scoring', () => {
  const profile = (em: ScopedEntityManager) =>
    createProfile(em, { name: 'Ours', industry: 'Software', weights: { industry: 2, completeness: 1, engagement: 1 } })

  test('keeps score, breakdown and profile, and counts what was sent', async () => {
    const { id } = await add({ industry: 'software', firstName: 'Ada', lastName: 'King' })
    const score = await work(async em => scoreProspect(em, await prospect(em, id), profile(em)))
    expect(score.score).toBe(50 + 13)
    const sent = { prospect: id, channel: 'EMAIL', body: 'Hello', status: 'OPENED', openedAt: at } as const
    await work(async em => void em.create(Message, sent))
    await work(async em => scoreProspect(em, await prospect(em, id)))
    const kept = await work(em => em.findOneOrFail(Prospect, id, { populate: ['icp'] }))
    expect(kept).toMatchObject({ score: 50 + 13 + 13, icp: { $: { name: 'Ours' } } })
    expect(kept.scoreBreakdown.map(({ name, points }) => [name, points])).toEqual([
      ['completeness', 13],
      ['engagement', 13],
      ['industry', 50],
    ])
    expect(await work(em => em.find(DecisionLog, {}))).toEqual([])
  })

  test('is a decision when it is asked to be, which the log tells under their key', async () => {
    const { id } = await add({ email: 'ada@example.com', industry: 'Software', firstName: 'Ada', data: { spouse: 'Ada too' } })
    await work(async em => scoreProspect(em, await prospect(em, id), profile(em), { asDecision: true }))
    await work(async em => {
      const scored = await prospect(em, id)
      const [decision] = await em.find(DecisionLog, {})
      expect(decision).toMatchObject({ type: 'decision.made', entityId: id })
      expect(JSON.stringify(decision!.after)).toContain('prospect.score')
      expect(JSON.stringify(decision!.after)).not.toMatch(/ada|spouse|Software/i)
      const facts = { industry: 'Software', data: { spouse: 'Ada too' } }
      expect(await why(em, scored, 'score')).toMatchObject({ decision: { id: decision!.id, after: { inputs: { facts } } } })
    })
  })

  test('needs a profile', async () => {
    const { id } = await add()
    await expect(work(async em => scoreProspect(em, await prospect(em, id)))).rejects.toMatchObject({ code: 'sales.profile_missing' })
  })
})

describe('an insight', () => {
  const insight = { kind: 'risk', title: 'Goes elsewhere', body: 'Opens nothing any more.', model: 'm 2026-11', confidence: 0.7 }
  const told = () =>
    work(async em => em.create(AIInsight, { ...insight, subjectType: 'prospect', subjectId: newId() })).then(({ id }) => id)
  const open = (em: ScopedEntityManager, id: string) => em.findOneOrFail(AIInsight, id)

  test.each([
    ['ACCEPTED', acceptInsight],
    ['DISMISSED', dismissInsight],
  ] as const)('is %s once, as a decision', async (status, judge) => {
    const id = await told()
    await work(async em => judge(em, await open(em, id), { reason: 'I know them.', at }))
    await work(async em => {
      const judged = await open(em, id)
      expect(judged).toMatchObject({ status, reason: 'I know them.', decidedAt: at, decidedBy: null })
      expect(await why(em, judged, 'status')).toMatchObject({ decision: { after: { type: 'insight.judgement', outcome: status } } })
    })
    const again = work(async em => dismissInsight(em, await open(em, id), { reason: 'No.' }))
    await expect(again).rejects.toMatchObject({ code: 'state.transition_refused' })
    expect(await work(em => em.count(DecisionLog))).toBe(1)
  })

  test('that ten judge at once is judged by one', async () => {
    const id = await told()
    const judges = Array.from({ length: 10 }, (_none, index) => (index % 2 ? acceptInsight : dismissInsight))
    const attempts = await Promise.allSettled(judges.map(judge => work(async em => judge(em, await open(em, id), { reason: 'So.' }))))
    const failures = attempts.flatMap(attempt => (attempt.status === 'rejected' ? [attempt.reason as unknown] : []))
    expect(failures).toHaveLength(9)
    for (const failure of failures) expect(failure).toMatchObject({ code: 'state.transition_refused' })
    expect(await work(em => em.count(DecisionLog))).toBe(1)
  })

  test.each([-0.1, 1.1])('isn’t believed to %s', async confidence => {
    const attempt = work(async em => void em.create(AIInsight, { ...insight, confidence, subjectType: 'prospect', subjectId: newId() }))
    await expect(attempt).rejects.toThrow(/ai_insight_confidence/)
  })
})

test('a task is linked to a prospect that is there, and to no other', async () => {
  const { id } = await add()
  const { id: elsewhere } = await add({}, newId())
  const deleted = await add()
  await remove(deleted)
  const task = await work(async em => em.create(Task, { title: 'Call' }))
  const link = (to: string | null) => work(async em => linkTask(em, await em.findOneOrFail(Task, task.id), to === null ? null : { id: to }))
  await link(id)
  expect(await work(em => em.find(Task, { prospectId: id }))).toHaveLength(1)
  for (const other of [elsewhere, deleted.id, newId()]) await expect(link(other)).rejects.toMatchObject({ code: 'sales.prospect_unknown' })
  await link(null)
  expect(await work(em => em.findOneOrFail(Task, task.id))).toMatchObject({ prospectId: null })
})

test('a task points at a prospect of its own tenant or at none, and at none once that one is gone for good', async () => {
  const { id } = await add()
  const { id: elsewhere } = await add({}, newId())
  const task = await work(async em => em.create(Task, { title: 'Call', prospectId: id }))
  for (const other of [elsewhere, newId()]) {
    const point = work(async em => void ((await em.findOneOrFail(Task, task.id)).prospectId = other))
    await expect(point).rejects.toMatchObject({ code: '23503' })
    const create = work(async em => void em.create(Task, { title: 'Call', prospectId: other }))
    await expect(create).rejects.toMatchObject({ code: '23503' })
  }
  await work(em => em.nativeDelete(Prospect, { id }, { filters: false }))
  await work(async em => {
    const found = await em.findOneOrFail(Task, task.id)
    expect(found.prospectId).toBeNull()
    const [made, gone] = await history(em, found)
    expect([made!.event.after?.prospect_id, gone!.event.before?.prospect_id]).toEqual([id, id])
    expect(await asOf(em, made!.event).findOneOrFail(Task, task.id)).toMatchObject({ prospectId: id })
    expect(await replayProblems(em)).toEqual([])
  })
})

test('a task that is brought back points at its prospect again', async () => {
  const { id } = await add()
  const task = await work(async em => em.create(Task, { title: 'Call', prospectId: id }))
  await work(async em => void em.remove(await em.findOneOrFail(Task, task.id)))
  await work(async em => void (await restore(em, [Task, task.id])))
  expect(await work(em => em.findOneOrFail(Task, task.id))).toMatchObject({ prospectId: id })
})

test('a judgement of a person names them', async () => {
  const { user, organization } = await registerOrganization(daybook, {
    email: `${newId()}@example.com`,
    password: 'a long enough one',
    organization: { name: 'Judges' },
  })
  await daybook.transact({ tenant: organization.id, actor: userActor(user.id) }, async em => {
    const told = { kind: 'a', title: 'b', body: 'c', model: 'd', confidence: 1, subjectType: 'prospect', subjectId: newId() }
    const insight = em.create(AIInsight, told)
    await em.flush()
    await acceptInsight(em, insight, { reason: 'Yes.' })
    expect(insight).toMatchObject({ status: 'ACCEPTED', decidedBy: { id: user.id } })
  })
})
