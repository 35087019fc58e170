import { afterAll, describe, expect, test } from 'vitest'
import { erased, erasePerson, isTold, rowsNaming } from '../../src/audit/index.ts'
import { systemActor } from '../../src/context/index.ts'
import {
  AIInsight,
  AuditBooking,
  BillingEvent,
  Document,
  IntakeRequest,
  Invitation,
  Message,
  NewsletterSubscriber,
  Prospect,
  SchedulingAgentTask,
  SchedulingEvent,
  WorkflowExecution,
} from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Row, ScopedEntityManager } from '../../src/orm/index.ts'
import { asOf, history, replayProblems, restore } from '../../src/readers/index.ts'
import { createRow, openTestDaybook } from '../../src/testing/index.ts'

/** Who is no user is known by the row that tells of them, and is a person to the log all the same. */
const daybook = await openTestDaybook()
afterAll(() => daybook.close())

const email = 'ada@lovelace.example'
/** With what each tells of them, and what its row needs besides. */
const people: readonly (readonly [new () => Row, Record<string, unknown>, Record<string, unknown>?])[] = [
  [Invitation, { email }],
  [Prospect, { email, firstName: 'Ada', lastName: 'Lovelace', data: { born: 'Lovelace' } }],
  [NewsletterSubscriber, { email }],
  [AuditBooking, { contactEmail: email, contactName: 'Ada Lovelace', notes: 'for Lovelace' }],
  [IntakeRequest, { requesterEmail: email, body: 'Lovelace asks' }],
  [BillingEvent, { payload: { customer: { address: email } } }],
  [SchedulingEvent, { attendees: [{ email, name: 'Lovelace' }] }],
  [WorkflowExecution, { input: { body: { email } }, output: { greeted: 'Lovelace' } }],
  [Document, { ocrText: 'Lovelace signs', ocrMeta: { author: email } }, { status: 'COMPLETED' }],
  [SchedulingAgentTask, { request: { attendees: [{ email, name: 'Lovelace' }] } }],
]

describe.each(people.map(([type, ...values]) => [type.name, type, ...values] as const))('%s', (_name, type, values, besides = {}) => {
  test('tells of a person, who is found by their address and can be erased', async () => {
    const tenant = newId()
    const transact = <T>(work: (em: ScopedEntityManager) => Promise<T>) => daybook.transact({ tenant, actor: systemActor('test') }, work)
    const meta = daybook.orm.getMetadata().get(type)
    const { id } = (await createRow(daybook, tenant, meta, { ...values, ...besides })) as { id: string }
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

test('an address is found however it is written, and no other that looks different', async () => {
  const tenant = newId()
  const transact = <T>(work: (em: ScopedEntityManager) => Promise<T>) => daybook.transact({ tenant, actor: systemActor('test') }, work)
  const make = async (type: new () => Row, values: Record<string, unknown>) =>
    ((await createRow(daybook, tenant, daybook.orm.getMetadata().get(type), values)) as { readonly id: string }).id
  const attendees = (address: string) => ({ attendees: [{ email: address, name: 'Zoé' }] })
  const written = [
    await make(Prospect, { email: 'zoé\u200b@zenith.example' }),
    await make(IntakeRequest, { requesterEmail: '\u2060zoe\u0301@zenith.example ' }),
    await make(SchedulingEvent, attendees(' Zoé@Zenith.example')),
    await make(SchedulingAgentTask, { request: attendees('ZOE\u0301@zenith\u00ad.example') }),
    await make(Prospect, { email: 'zoé@zenith.example' }),
  ]
  await make(Prospect, { email: 'zoe@zenith.example' })
  await make(IntakeRequest, {
    requesterEmail: 'ann@zenith.example',
    body: `Write to zoé\u200b@zenith.example, please. ${'x'.repeat(2_000)}`,
  })
  for (const looked of ['zoé@zenith.example', ' ZOÉ@zenith.example', 'zoe\u0301\u200b@zenith.example']) {
    const found = await transact(em => rowsNaming(em, looked))
    expect(found.map(({ id }) => id).toSorted()).toEqual(written.toSorted())
  }
})

describe('what is told of somebody else’s row', () => {
  type Said = readonly (readonly [new () => Row, id: string, Record<string, unknown>])[]
  const tenant = newId()
  const scope = { tenant, actor: systemActor('test') }
  const transact = <T>(work: (em: ScopedEntityManager) => Promise<T>) => daybook.transact(scope, work)
  const dumpOf = (id: string) =>
    transact(async em => JSON.stringify(await em.execute('select before::text, after::text from audit_event where entity_id = ?', [id])))
  const make = async (type: new () => Row, values: Record<string, unknown>) =>
    (await createRow(daybook, tenant, daybook.orm.getMetadata().get(type), values)) as { readonly id: string }
  /** Once by each writer of the log. */
  const rewrite = async (type: new () => Row, id: string, values: Record<string, unknown>) => {
    const table = daybook.orm.getMetadata().get(type).tableName
    await transact(async em => void Object.assign(await em.findOneOrFail(type, id), values))
    await transact(em =>
      em.execute(`update "${table}" set updated_at = now() + interval '1 hour', body = 'Lovelace still' where id = ?`, [id]),
    )
  }
  const agree = async () => expect(await transact(em => replayProblems(em))).toEqual([])

  test('is a prospect’s: their messages and what a model believes of them go with their key', async () => {
    const prospect = await make(Prospect, { email: 'countess@lovelace.example' })
    const words = { subject: 'Dear Lovelace', body: 'You are Lovelace' }
    const message = await make(Message, { ...words, prospect: prospect.id, campaign: null })
    const belief = { title: 'Lovelace will buy', body: 'Lovelace answered' }
    const insight = await make(AIInsight, { ...belief, subjectType: 'prospect', subjectId: prospect.id })
    const said: Said = [
      [Message, message.id, words],
      [AIInsight, insight.id, belief],
    ]
    for (const [type, id, values] of said) {
      const [created] = await history(daybook.scope(scope), [type, id])
      expect(await asOf(daybook.scope(scope), created!.event).findOneOrFail(type, id)).toMatchObject(values)
      await rewrite(type, id, { body: 'Lovelace, once more' })
      expect(await dumpOf(id)).not.toMatch(/lovelace/i)
    }
    await agree()
    await transact(em => erasePerson(em, prospect.id))
    for (const [type, id, values] of said) {
      const told = await history(daybook.scope(scope), [type, id])
      expect(told[0]!.changes).toEqual(expect.arrayContaining(Object.keys(values).map(property => ({ property, after: erased }))))
      expect(JSON.stringify(told)).not.toMatch(/lovelace/i)
    }
    await agree()
  })

  test('is nobody’s where no prospect is meant, and is told and folded all the same', async () => {
    const words = { subject: 'To all', body: 'Good morning, Lovelace readers' }
    const message = await make(Message, { ...words, prospect: null, campaign: null })
    const campaign = newId()
    const belief = { title: 'It goes well', body: 'Lovelace readers answer' }
    const insight = await make(AIInsight, { ...belief, subjectType: 'campaign', subjectId: campaign })
    const said: Said = [
      [Message, message.id, words],
      [AIInsight, insight.id, belief],
    ]
    for (const [type, id, values] of said) {
      await rewrite(type, id, { body: 'Lovelace, once more' })
      expect(await dumpOf(id)).not.toMatch(/lovelace/i)
      const [created] = await history(daybook.scope(scope), [type, id])
      expect(await asOf(daybook.scope(scope), created!.event).findOneOrFail(type, id)).toMatchObject(values)
      await transact(em => em.execute(`delete from "${daybook.orm.getMetadata().get(type).tableName}" where id = ?`, [id]))
      expect(await restore(daybook.scope(scope), [type, id])).toMatchObject({ ...values, body: 'Lovelace still' })
    }
    await agree()
    await transact(em => erasePerson(em, message.id))
    const [created] = await history(daybook.scope(scope), [Message, message.id])
    expect(created!.changes).toContainEqual({ property: 'body', after: erased })
    await agree()
  })

  test('goes with a prospect who is removed for good, and the log tells of it under their key', async () => {
    const prospect = await make(Prospect, { email: 'byron@lovelace.example' })
    const message = await make(Message, { body: 'You are Lovelace', prospect: prospect.id, campaign: null })
    await transact(em => em.nativeDelete(Prospect, { id: prospect.id }, { filters: false }))
    expect(await transact(em => em.count(Message, { id: message.id }))).toBe(0)
    expect(await dumpOf(message.id)).not.toMatch(/lovelace/i)
    const told = await history(daybook.scope(scope), [Message, message.id])
    expect(told.at(-1)!.changes).toContainEqual({ property: 'body', before: 'You are Lovelace' })
    await transact(em => erasePerson(em, prospect.id))
    expect(JSON.stringify(await history(daybook.scope(scope), [Message, message.id]))).not.toMatch(/lovelace/i)
    await agree()
  })

  test('stays whose it is: a message is never turned over to somebody else', async () => {
    const [ada, eve] = [await make(Prospect, { email: 'a@lovelace.example' }), await make(Prospect, { email: 'e@lovelace.example' })]
    const message = await make(Message, { body: 'You are Lovelace', prospect: ada.id, campaign: null })
    const turnOver = transact(em => em.execute('update message set prospect_id = ? where id = ?', [eve.id, message.id]))
    await expect(turnOver).rejects.toMatchObject({ code: 'tenancy.identity_immutable' })
  })
})
