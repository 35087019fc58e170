import { wrap } from '@mikro-orm/core'
import { afterAll, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/context/index.ts'
import { newId } from '../../src/kernel/id.ts'
import { declarationOf, type ScopedEntityManager } from '../../src/orm/index.ts'
import { asOf, feed, replayProblems } from '../../src/readers/index.ts'
import { createRow, openTestDaybook, tenantEntities } from '../../src/testing/index.ts'
import { tablesOfTenants } from '../isolation/tables-of-tenants.ts'

/** What holds for notes and tags in random work holds for every entity of the product: the log gives its table back, by whatever route. */
const daybook = await openTestDaybook()
afterAll(() => daybook.close())

const audited = tenantEntities(daybook).filter(({ class: entity }) => declarationOf(entity)!.audit !== false)

test('every table of tenants that the sentinel watches is tried here', async () => {
  const watched = (await tablesOfTenants(daybook)).filter(({ isAudited }) => isAudited)
  expect(audited.map(({ tableName }) => tableName).toSorted()).toEqual(watched.map(({ name }) => name))
})

test('what the log is told to keep secret, a row that is shown as JSON keeps too', () => {
  const shown = [...daybook.orm.getMetadata().getAll().values()].flatMap(meta => {
    const { secret = [] } = declarationOf(meta.class)?.audit || {}
    return secret.filter(name => !meta.properties[name as never]?.hidden).map(name => `${meta.className}.${name}`)
  })
  expect(shown).toEqual([])
})

describe.each(audited.map(meta => [meta.className, meta] as const))('%s', (_name, meta) => {
  const table = `"${meta.tableName}"`
  const mayRewrite = declarationOf(meta.class)!.access === 'write'

  /** What the log tells of a row: all but its secrets. */
  const told = async (em: ScopedEntityManager, id: string) => {
    const row = await em.findOneOrFail(meta.class, id)
    const { secret = [] } = declarationOf(meta.class)!.audit as { readonly secret?: readonly string[] }
    return Object.fromEntries(Object.entries(wrap(row as object).toObject()).filter(([name]) => !secret.includes(name)))
  }

  test('is folded from the log as it is, after each kind of write, and is seen as it was', async () => {
    const tenant = newId()
    const work = <T>(does: (em: ScopedEntityManager) => Promise<T>) => daybook.transact({ tenant, actor: systemActor('writer') }, does)
    const agree = async () => expect((await work(em => replayProblems(em))).filter(({ table: of }) => of === meta.tableName)).toEqual([])
    const created = await createRow(daybook, tenant, meta)
    const id = created.id as string
    await agree()
    const [event] = await work(async em => (await feed(em, { entity: meta.class as never, entityId: id })).items)
    const before = await work(em => told(em, id))
    if (mayRewrite) {
      await work(em => em.execute(`update ${table} set updated_at = now() + interval '1 hour' where id = ?`, [id]))
      await work(em => em.nativeUpdate(meta.class, { id }, { updatedAt: new Date('2027-01-01T00:00:00Z') }))
      await work(async em => {
        const row = (await em.findOneOrFail(meta.class, id)) as { updatedAt: Date }
        row.updatedAt = new Date('2027-02-01T00:00:00Z')
      })
      await agree()
    }
    expect(await told(asOf(daybook.scope({ tenant, actor: systemActor('reader') }), event!), id)).toEqual(before)
    if (!mayRewrite) return
    await work(em => em.execute(`delete from ${table} where id = ?`, [id]))
    await agree()
  })
})
