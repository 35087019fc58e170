import { beforeEach, describe, expect, test } from 'vitest'
import { sealPersonal } from '../../src/audit/index.ts'
import { systemActor } from '../../src/context/index.ts'
import { addTrigger, createAutomation, IntakeRequest, Organization, WorkflowExecution } from '../../src/entities.ts'
import { jobs, runJob, startReactions } from '../../src/jobs/index.ts'
import { newId } from '../../src/kernel/id.ts'
import type { ScopedEntityManager } from '../../src/orm/index.ts'
import { feed, history } from '../../src/readers/index.ts'
import { useFirm } from '../setup/use-firm.ts'

const { firm } = useFirm()
let careless: string
let other: string
const within = <T>(tenant: string, work: (em: ScopedEntityManager) => Promise<T>) =>
  firm.daybook.transact({ tenant, actor: systemActor('clerk') }, work)
const sealBeside = () =>
  runJob(
    firm.daybook,
    jobs.find(({ name }) => name === 'seal-personal-values')!,
  )
const unsealedIn = (tenant: string) =>
  within(tenant, em => em.execute<{ person: string }[]>('select distinct person_id as person from audit_personal where not is_sealed'))

beforeEach(async () => {
  ;[careless, other] = [newId(), newId()]
  for (const id of [careless, other]) await within(id, async em => void em.create(Organization, { id, name: 'Firm', slug: `firm-${id}` }))
  // What an earlier test has broken stays as it is until it is mended.
  await firm.daybook.transact({ kind: 'operator', actor: systemActor('test'), reason: 'an earlier test' }, em =>
    em.execute('delete from audit_personal'),
  )
})

async function askIn(tenant: string, subject: string): Promise<IntakeRequest> {
  return within(tenant, async em =>
    em.create(IntakeRequest, { source: 'EMAIL', subject, receivedAt: new Date(), requesterEmail: 'ada@example.com' }),
  )
}
const writeBehindItsBack = (tenant: string, { id }: IntakeRequest) =>
  within(tenant, em => em.execute(`update intake_request set requester_email = 'grace@example.com' where id = ?`, [id]))
const setKey = (tenant: string, { id }: IntakeRequest, sealed: string) =>
  within(tenant, em => em.execute(`update audit_person_key set sealed_key = ? where person_id = ?`, [sealed, id]))
const keyOf = async (tenant: string, { id }: IntakeRequest) =>
  (
    await within(tenant, em => em.execute<{ key: string }[]>(`select sealed_key as key from audit_person_key where person_id = ?`, [id]))
  )[0]!.key

test('an event that somebody has written by hand, however odd, holds up the reactions of nobody', async () => {
  for (const tenant of [careless, other]) {
    await within(tenant, async em => {
      const { automation } = await createAutomation(em, { name: 'Greet', definition: { kind: 'action', action: 'greet', parameters: {} } })
      for (const event of ['intake-request.*', 'decision.*'])
        addTrigger(em, automation, { type: 'EVENT', config: { event, where: { subject: 'new' } } })
    })
  }
  const odd = [
    ['activity', 'intake-request.created', '5', 'now()'],
    ['activity', 'intake-request.created', '"a text"', 'now()'],
    ['activity', 'intake-request.created', '[1, null]', 'now()'],
    ['activity', 'intake-request.created', 'null', 'now()'],
    ['activity', 'intake-request.created', '{"requester_email": "daybook:sealed:00000000-0000-0000-0000-000000000000:AA"}', 'now()'],
    ['decision', 'decision.made', '{"person": 5, "outcome": "daybook:personal:00000000-0000-0000-0000-000000000000"}', 'now()'],
    ['decision', 'decision.made', 'true', `'infinity'`],
    ['activity', 'intake-request.created', '{"subject": "new"}', `'-infinity'`],
  ]
  for (const [kind, type, after, at] of odd) {
    await within(careless, em =>
      em.execute(
        `insert into audit_event (tenant_id, kind, type, entity, entity_id, source, actor_type, actor_id, recorded_at, after)
           values (?, ?, ?, 'intake-request', ?, 'database', 'database', 'somebody', ${at}, ?::json)`,
        [careless, kind, type, newId(), after],
      ),
    )
  }
  await askIn(other, 'new')
  const errors: unknown[] = []
  await using reactions = startReactions(firm.daybook, { pollMs: 10, onError: error => void errors.push(error) })
  await expect.poll(async () => (await within(other, em => em.find(WorkflowExecution, {}))).length, { timeout: 20_000 }).toBe(1)
  await reactions.caughtUp()
  expect(errors).toEqual([])
})

describe.each([
  ['is no key at all', () => 'rubbish'],
  ['was altered', (key: string) => `${key.slice(0, -4)}AAAA`],
  ['is cut short', (key: string) => key.slice(0, 12)],
])('a person’s key that somebody has written by hand, and that %s,', (_how, broken) => {
  test('is told by name, and what else waits for its seal has it', async () => {
    const asked = await askIn(careless, 'broken')
    const beside = [await askIn(careless, 'whole'), await askIn(other, 'elsewhere')] as const
    await setKey(careless, asked, broken(await keyOf(careless, asked)))
    await writeBehindItsBack(careless, asked)
    await writeBehindItsBack(careless, beside[0])
    await writeBehindItsBack(other, beside[1])
    expect(await sealBeside()).toMatchObject({
      status: 'FAILED',
      processed: 4,
      error: expect.stringMatching(new RegExp(`log ${careless} .*person ${asked.id} `)),
    })
    expect(await unsealedIn(other)).toEqual([])
    expect(await unsealedIn(careless)).toEqual([{ person: asked.id }])
    expect((await history(firm.daybook.scope({ tenant: careless, actor: systemActor('clerk') }), beside[0])).length).toBe(2)
    // However many wait for a key that doesn't open, the next have their turn.
    await writeBehindItsBack(other, beside[1])
    await within(other, em => em.execute(`update intake_request set requester_email = 'joan@example.com'`))
    const asOperator = (limit: number) =>
      firm.daybook.transact({ kind: 'operator', actor: systemActor('test'), reason: 'a test' }, em => sealPersonal(em, limit))
    expect(await asOperator(1)).toBe(1)
    expect(await asOperator(1)).toBe(1)
    await expect(asOperator(1)).rejects.toMatchObject({ code: 'audit.person_key_locked', details: { log: careless, person: asked.id } })
  })

  test('is told to who reads of that person, and holds up the reactions of nobody', async () => {
    for (const tenant of [careless, other]) {
      await within(tenant, async em => {
        const { automation } = await createAutomation(em, {
          name: 'Greet',
          definition: { kind: 'action', action: 'greet', parameters: {} },
        })
        const where = { subject: 'new', requester_email: 'ada@example.com' }
        addTrigger(em, automation, { type: 'EVENT', config: { event: 'intake-request.*', where } })
        addTrigger(em, automation, { type: 'EVENT', config: { event: 'intake-request.*', where: { subject: 'new' } } })
      })
    }
    const asked = await askIn(careless, 'new')
    await setKey(careless, asked, broken(await keyOf(careless, asked)))
    await askIn(other, 'new')
    const errors: unknown[] = []
    await using reactions = startReactions(firm.daybook, { pollMs: 10, onError: error => void errors.push(error) })
    await expect.poll(async () => (await within(other, em => em.find(WorkflowExecution, {}))).length, { timeout: 20_000 }).toBe(2)
    await reactions.caughtUp()
    expect(errors).toEqual([])
    expect(await within(careless, em => em.find(WorkflowExecution, {}))).toMatchObject([
      { input: { event: { entityId: asked.id, after: { subject: 'new' } } } },
    ])
    await expect(within(careless, em => history(em, asked))).rejects.toMatchObject({ code: 'audit.person_key_locked' })
    expect((await within(other, em => feed(em, { entity: IntakeRequest }))).items).toMatchObject([
      { after: { requester_email: 'ada@example.com' } },
    ])
  })
})
