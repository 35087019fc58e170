import { wrap } from '@mikro-orm/core'
import { afterAll, describe, expect, test } from 'vitest'
import { userActor } from '../../src/context/index.ts'
import { Membership, Organization, Plan, PipelineStage, Prospect, Task, User } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import { type Daybook, declarationOf, tablesOf } from '../../src/orm/index.ts'
import { factory, openTestDaybook } from '../../src/testing/index.ts'

const [daybook, other] = [await openTestDaybook(), await openTestDaybook()]
const tenant = newId()
afterAll(() => Promise.all([daybook.close(), other.close()]))

/** All but what nobody makes: catalogues, and the log. */
const makeable = tablesOf(daybook.orm.getMetadata()).filter(meta => {
  const { access, madeByMigration } = declarationOf(meta.class)!
  return access !== 'read' && !madeByMigration && !meta.pivotTable
})

const madeBy = async (seed: number, where: Daybook, className: string) => {
  const { class: entity } = where.orm.getMetadata().getByClassName(className)
  const row = await factory(where, tenant, { seed }).make(entity as never)
  return JSON.stringify(wrap(row as object).toObject())
}

test('there is hardly an entity that it can’t make', () => {
  expect(makeable.length).toBeGreaterThan(60)
})

describe.each(makeable.map(({ className }) => className))('%s', className => {
  test('is made, and with the same seed the same again in another database', async () => {
    const seed = makeable.findIndex(meta => meta.className === className)
    const row = await madeBy(seed, daybook, className)
    expect(row).toContain('"id"')
    expect(await madeBy(seed, other, className)).toBe(row)
  })
})

test('another seed makes other rows, and one factory never the same twice', async () => {
  const [of, another] = [factory(daybook, tenant, { seed: 'a' }), factory(daybook, tenant, { seed: 'b' })]
  const prospects = [...(await of.makeMany(Prospect, 3, { company: 'Northwind' })), await another.make(Prospect)]
  expect(new Set(prospects.map(({ id }) => id)).size).toBe(4)
  expect(prospects.map(({ company }) => company)).toEqual(['Northwind', 'Northwind', 'Northwind', null])
})

test('only what matters is spelled, and relations may be given', async () => {
  const own = factory(daybook, newId(), { seed: 1 })
  const stage = await own.make(PipelineStage, { name: 'Ready' })
  const tasks = await own.makeMany(Task, 2, { stage: stage.id, pipeline: stage.pipeline.id, title: 'Call Ada' })
  expect(tasks).toMatchObject([{ title: 'Call Ada' }, { title: 'Call Ada' }])
  expect(tasks.map(task => task.stage?.id)).toEqual([stage.id, stage.id])
})

test('people are members of the tenant, and the organization is the tenant itself', async () => {
  const own = newId()
  const { make } = factory(daybook, own, { seed: 1 })
  expect((await make(Organization, { name: 'Acme' })).id).toBe(own)
  const user = await make(User, { name: 'Ada' })
  const em = daybook.scope({ tenant: own, actor: userActor(newId()) })
  expect((await em.findOneOrFail(User, user.id)).name).toBe('Ada')
  expect(await em.count(Membership, { user: user.id })).toBe(1)
})

test('a catalogue is refused with the reason', async () => {
  await expect(factory(daybook, tenant).make(Plan)).rejects.toThrow('Plan is a catalogue')
})
