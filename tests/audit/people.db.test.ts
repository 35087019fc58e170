import { afterAll, describe, expect, test } from 'vitest'
import { erased, erasePerson, isTold, rowsNaming } from '../../src/audit/index.ts'
import { systemActor } from '../../src/context/index.ts'
import {
  AuditBooking,
  BillingEvent,
  IntakeRequest,
  Invitation,
  NewsletterSubscriber,
  Prospect,
  SchedulingAgentTask,
  SchedulingEvent,
} from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Row, ScopedEntityManager } from '../../src/orm/index.ts'
import { asOf, history, replayProblems } from '../../src/readers/index.ts'
import { createRow, openTestDaybook } from '../../src/testing/index.ts'

/** Who is no user is known by the row that tells of them, and is a person to the log all the same. */
const daybook = await openTestDaybook()
afterAll(() => daybook.close())

const email = 'ada@lovelace.example'
const people: readonly (readonly [new () => Row, Record<string, unknown>])[] = [
  [Invitation, { email }],
  [Prospect, { email, firstName: 'Ada', lastName: 'Lovelace', data: { born: 'Lovelace' } }],
  [NewsletterSubscriber, { email }],
  [AuditBooking, { contactEmail: email, contactName: 'Ada Lovelace', notes: 'for Lovelace' }],
  [IntakeRequest, { requesterEmail: email, body: 'Lovelace asks' }],
  [BillingEvent, { payload: { customer: { address: email } } }],
  [SchedulingEvent, { attendees: [{ email, name: 'Lovelace' }] }],
  [SchedulingAgentTask, { request: { attendees: [{ email, name: 'Lovelace' }] } }],
]

describe.each(people.map(([type, values]) => [type.name, type, values] as const))('%s', (_name, type, values) => {
  test('tells of a person, who is found by their address and can be erased', async () => {
    const tenant = newId()
    const transact = <T>(work: (em: ScopedEntityManager) => Promise<T>) => daybook.transact({ tenant, actor: systemActor('test') }, work)
    const meta = daybook.orm.getMetadata().get(type)
    const { id } = (await createRow(daybook, tenant, meta, values)) as { id: string }
    await transact(em => em.execute(`update "${meta.tableName}" set updated_at = now() + interval '1 hour' where id = ?`, [id]))
    const dump = () =>
      transact(async em => JSON.stringify(await em.execute('select before::text, after::text from audit_event where entity_id = ?', [id])))
    expect(await dump()).not.toMatch(/lovelace/i)
    const past = () => daybook.scope({ tenant, actor: systemActor('test') })
    expect(await asOf(past(), new Date()).findOneOrFail(type, id)).toMatchObject(values)
    expect(await transact(em => rowsNaming(em, email))).toEqual([{ entity: expect.any(String), id }])
    expect(await transact(em => rowsNaming(em, 'lovelace.example'))).toEqual([])
    await transact(em => erasePerson(em, id))
    expect(await transact(em => isTold(em, id))).toBe(false)
    const [created] = await history(past(), [type, id])
    expect(created!.changes).toEqual(expect.arrayContaining(Object.keys(values).map(property => ({ property, after: erased }))))
    expect((await transact(em => replayProblems(em))).filter(({ table }) => table === meta.tableName)).toEqual([])
  })
})
