import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { decide, type DecisionInput, erased, erasePerson, settle } from '../../src/audit/index.ts'
import { type Actor, agentActor, userActor } from '../../src/context/index.ts'
import { decideAsAgent, OrchestrationAgent } from '../../src/domain/agents/index.ts'
import { requestApproval } from '../../src/domain/work/index.ts'
import { AgentDecision, ApprovalItem, Message, Prospect, Task } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Row, ScopedEntityManager, TenantRow } from '../../src/orm/index.ts'
import {
  asOf,
  feed,
  type FollowedEvent,
  history,
  impersonal,
  pendingDecisions,
  replayProblems,
  subscribe,
  why,
  withoutPersonal,
} from '../../src/readers/index.ts'
import { createRow, openTestDaybook } from '../../src/testing/index.ts'
import { dumpOf } from './dump-of.ts'

/** What is decided about somebody tells of them as much as the row that it is about. */
const daybook = await openTestDaybook()
afterAll(() => daybook.close())

const [agent, reviewer] = [agentActor(newId()), userActor(newId())]
let tenant: string
beforeEach(() => {
  tenant = newId()
})

const transact = <T>(work: (em: ScopedEntityManager) => Promise<T>, actor: Actor = agent) => daybook.transact({ tenant, actor }, work)
async function make<T extends TenantRow>(type: new () => T, values: Record<string, unknown> = {}): Promise<T> {
  const { id } = await createRow(daybook, tenant, daybook.orm.getMetadata().get(type), values)
  return daybook.scope({ tenant, actor: agent }).findOneOrFail(type, id)
}
const about = (subject: Row): DecisionInput => ({
  type: 'case.ruling',
  subject,
  outcome: { say: 'Lovelace pays' },
  rationale: 'Lovelace agreed',
  confidence: 0.9,
  model: 'm 1',
  alternatives: ['Lovelace waits'],
  inputs: { mail: 'from Lovelace' },
})
const said = {
  outcome: { say: 'Lovelace pays' },
  rationale: 'Lovelace agreed',
  alternatives: ['Lovelace waits'],
  inputs: { mail: 'from Lovelace' },
}
const wholly = (value: unknown) => Object.fromEntries(Object.keys(said).map(name => [name, value]))
const decisions = async () => (await feed(daybook.scope({ tenant, actor: agent }), { kind: 'decision' })).items
const dump = () => transact(em => dumpOf(em, tenant))

describe('a decision about somebody', () => {
  test('stands in the log under their key, and is told to whoever may read the log', async () => {
    const ada = await make(Prospect, { lastName: 'Lovelace' })
    await transact(async em =>
      decide(em, about(em.getReference(Prospect, ada.id)), async inner => {
        ;(await inner.findOneOrFail(Prospect, ada.id)).score = 7
      }),
    )
    expect(await dump()).not.toContain('Lovelace')
    const [decision] = await decisions()
    expect(decision!.after).toEqual({ type: 'case.ruling', confidence: 0.9, model: 'm 1', person: ada.id, ...said })
    expect((await transact(em => why(em, ada, 'score')))!.decision!.after).toMatchObject(said)
    const followed: FollowedEvent[] = []
    await using following = subscribe(daybook, newId(), async events => void followed.push(...events), {
      scope: { tenant, actor: agent },
      pollMs: 20,
    })
    await following.caughtUp()
    const heard = followed.find(({ kind }) => kind === 'decision')!
    expect(heard.after).toMatchObject(said)
    // What leaves for where erasing doesn't reach.
    const em = daybook.scope({ tenant, actor: agent })
    const rest = { type: 'case.ruling', confidence: 0.9, model: 'm 1', person: ada.id }
    expect(impersonal(em, heard)).toEqual(rest)
    expect(withoutPersonal(em, [decision!])[0]!.after).toEqual(rest)
  })

  test('waits and is settled in words that only their key opens, and reads as erased when it is gone', async () => {
    const ada = await make(Prospect, { lastName: 'Lovelace' })
    const { id } = await transact(em => decide(em, { ...about(ada), needsApproval: true }))
    expect((await transact(em => pendingDecisions(em))).map(({ after }) => after)).toMatchObject([said])
    await transact(em => settle(em, id, { approved: true, rationale: 'Lovelace is right' }), reviewer)
    expect(await transact(em => pendingDecisions(em))).toEqual([])
    expect(await dump()).not.toContain('Lovelace')
    expect((await decisions()).map(({ after }) => after!.rationale)).toEqual(['Lovelace is right', 'Lovelace agreed'])
    await transact(em => erasePerson(em, ada.id))
    const [approved, proposed] = await decisions()
    expect(approved!.after).toEqual({ rationale: erased, person: ada.id })
    expect(proposed!.after).toEqual({ type: 'case.ruling', confidence: 0.9, model: 'm 1', person: ada.id, ...wholly(erased) })
    // Nor is anything told of them that comes later.
    await transact(em => decide(em, about(ada)))
    expect((await decisions())[0]!.after).toMatchObject(wholly(erased))
    expect(await transact(em => replayProblems(em))).toEqual([])
  })

  test('is theirs also where the row names them, loaded or not', async () => {
    const ada = await make(Prospect, { lastName: 'Lovelace' })
    const message = await make(Message, { prospect: ada.id })
    await transact(em => decide(em, about(em.getReference(Message, message.id))))
    await transact(async em => decide(em, about(await em.findOneOrFail(Message, message.id))))
    await transact(async em => decide(em, about(await em.findOneOrFail(Message, message.id, { fields: ['status'] as never }))))
    expect((await decisions()).map(({ after }) => after!.person)).toEqual([ada.id, ada.id, ada.id])
  })

  test('is kept in clear where the row tells of nobody, and what looks like a mark is opened nowhere', async () => {
    const ada = await make(Prospect, { lastName: 'Lovelace' })
    await transact(em => decide(em, about(ada)))
    const [mark] = await transact(em =>
      em.execute<{ rationale: string }[]>(`select after->>'rationale' as rationale from audit_event where kind = 'decision'`),
    )
    expect(mark!.rationale).toMatch(/^daybook:sealed:/)
    const task = await make(Task)
    const copied = { ...about(task), ...mark!, person: ada.id }
    await transact(em => decide(em, copied))
    expect((await decisions())[0]!.after).toEqual({ type: 'case.ruling', confidence: 0.9, model: 'm 1', ...said, ...mark! })
    await transact(em => decide(em, { ...about(ada), ...mark! }))
    expect((await decisions())[0]!.after).toMatchObject(mark!)
  })
})

describe.each([
  ['a prospect', Prospect, true],
  ['a task', Task, false],
] as const)('what an agent decides about %s', (_name, type, isSomebody) => {
  test('is told of its rows under the same key, or under their own', async () => {
    const subject = await make<Prospect | Task>(type)
    const worker = await make(OrchestrationAgent, { isActive: true, tools: ['write'], minConfidence: null, maxRisk: null, rateLimit: null })
    const given = { subject, subjectType: isSomebody ? 'prospect' : 'task', type: 'case.ruling' }
    const grounds = {
      input: { mail: 'from Lovelace' },
      reasoning: 'Lovelace agreed',
      actions: [{ tool: 'write', parameters: { to: 'Lovelace' } }],
    }
    const decided = await daybook.transact({ tenant, actor: agentActor(worker.id) }, em =>
      decideAsAgent(em, worker, { ...given, ...grounds, inputSource: 'mail', confidence: 1 }),
    )
    const item = await transact(em => requestApproval(em, { ...given, reason: 'Lovelace asks', payload: { to: 'Lovelace' } }))
    expect([decided.personId, item.personId]).toEqual(isSomebody ? [subject.id, subject.id] : [null, null])
    const rows = await transact(em =>
      em.execute(`select before::text, after::text from audit_event where entity_id in (?, ?) and kind = 'activity'`, [
        decided.id,
        item.id,
      ]),
    )
    expect(JSON.stringify(rows)).not.toContain('Lovelace')
    const past = asOf(daybook.scope({ tenant, actor: reviewer }), new Date())
    expect(await past.findOneOrFail(AgentDecision, decided.id)).toMatchObject(grounds)
    expect(await past.findOneOrFail(ApprovalItem, item.id)).toMatchObject({ reason: 'Lovelace asks' })
    await transact(async em => {
      for (const person of isSomebody ? [subject.id] : [decided.id, item.id]) await erasePerson(em, person)
    })
    const [created] = await history(daybook.scope({ tenant, actor: reviewer }), decided)
    expect(created!.changes).toEqual(expect.arrayContaining(Object.keys(grounds).map(property => ({ property, after: erased }))))
    expect(await transact(em => replayProblems(em))).toEqual([])
  })
})
