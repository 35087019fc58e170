import type { EntityManager } from '@mikro-orm/postgresql'
import type { ScopedEntityManager } from '../src/orm/index.ts'
import type { Ground } from './ground.ts'
import { Item, Plain, Unwatched, values } from './model.ts'
import { type Comparison, type Side, side } from './rounds.ts'

/**
 * The same work twice: by stock MikroORM on a plain table, by Daybook with isolation, guards and the log. Each piece of work takes its own
 * EntityManager, as a request does; what has to be there first is written outside the clock.
 */
export function writes(ground: Ground): Comparison[] {
  const stock = stockWork(ground)
  const daybook = daybookWork(ground, Item)
  const pair = (name: string, target: number, repeat: number, work: (work: Work) => Side): Comparison => ({
    name,
    target,
    repeat,
    stock: work(stock),
    daybook: work(daybook),
  })
  return [
    pair('create one, own flush', 1, 200, ({ create }) => create(1)),
    pair('read one, update it, own flush', 1, 200, ({ readAndUpdate }) => readAndUpdate()),
    pair('read and update one, one transaction', 1, 200, ({ readAndUpdateInTransaction }) => readAndUpdateInTransaction()),
    pair('create 1,000, one flush', 1.15, 1, ({ create }) => create(1_000)),
    pair('update 1,000, one flush', 1.2, 1, ({ update }) => update(1_000)),
    pair('delete 200, one flush', 1.25, 1, ({ remove }) => remove(200)),
    {
      name: 'silent sentinel, create 1,000',
      target: 1.05,
      repeat: 1,
      stock: daybookWork(ground, Unwatched).create(1_000),
      daybook: daybook.create(1_000),
    },
  ]
}

interface Work {
  create: (count: number) => Side
  update: (count: number) => Side
  remove: (count: number) => Side
  readAndUpdate: () => Side
  readAndUpdateInTransaction: () => Side
}

/** What both EntityManagers share, as far as this work goes. */
interface Rows<E extends EntityManager | ScopedEntityManager> {
  readonly em: () => E
  readonly transact: (work: (em: E) => Promise<void>) => Promise<void>
  readonly create: (em: E, index: number) => { id: string; title: string; quantity: number }
  readonly find: (em: E, ids: string[]) => Promise<{ id: string; title: string; quantity: number }[]>
  readonly findOne: (em: E, id: string) => Promise<{ title: string; quantity: number }>
}

function stockWork({ stock, tenant }: Ground): Work {
  return workOn<EntityManager>({
    em: stock,
    transact: work => stock().transactional(work),
    create: (em, index) => em.create(Plain, { ...values(index), tenantId: tenant } as Plain),
    find: (em, ids) => em.find(Plain, { id: { $in: ids } }),
    findOne: (em, id) => em.findOneOrFail(Plain, { id }),
  })
}

function daybookWork({ scope, transact }: Ground, entity: typeof Item | typeof Unwatched): Work {
  return workOn<ScopedEntityManager>({
    em: scope,
    transact,
    create: (em, index) => em.create(entity, values(index)),
    find: (em, ids) => em.find(entity, { id: { $in: ids } }),
    findOne: (em, id) => em.findOneOrFail(entity, { id }),
  })
}

function workOn<E extends EntityManager | ScopedEntityManager>(rows: Rows<E>): Work {
  let next = 0
  const written = async (count: number): Promise<string[]> => {
    const em = rows.em()
    const ids = Array.from({ length: count }, (_none, index) => rows.create(em, index).id)
    await em.flush()
    return ids
  }
  const writtenOne = async () => (await written(1))[0]!
  const loaded = async (count: number) => {
    const em = rows.em()
    return { em, found: await rows.find(em, await written(count)) }
  }
  const change = (row: { title: string; quantity: number }) => Object.assign(row, { title: `Changed ${next++}`, quantity: next })
  return {
    create: count =>
      side(
        async () => {},
        async () => {
          const em = rows.em()
          for (let index = 0; index < count; index++) rows.create(em, index)
          await em.flush()
        },
      ),
    update: count =>
      side(
        () => loaded(count),
        async ({ em, found }) => {
          for (const row of found) change(row)
          await em.flush()
        },
      ),
    remove: count =>
      side(
        () => loaded(count),
        async ({ em, found }) => {
          for (const row of found) em.remove(row)
          await em.flush()
        },
      ),
    readAndUpdate: () =>
      side(writtenOne, async id => {
        const em = rows.em()
        change(await rows.findOne(em, id))
        await em.flush()
      }),
    readAndUpdateInTransaction: () => side(writtenOne, id => rows.transact(async em => void change(await rows.findOne(em, id)))),
  }
}
