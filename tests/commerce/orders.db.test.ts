import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemActor, userActor } from '../../src/context/index.ts'
import { MarketplaceItem, MarketplaceOrder, MarketplaceOrderItem, Membership, placeOrder, Role, User } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import type { Daybook, ScopedEntityManager } from '../../src/orm/index.ts'
import { replayProblems } from '../../src/readers/index.ts'
import { openTestDatabase } from '../../src/testing/index.ts'

let daybook: Daybook
let tenant: string
let buyer: string

beforeAll(async () => {
  ;({ daybook } = await openTestDatabase({ poolMax: 20 }))
})
afterAll(() => daybook.close())
beforeEach(async () => {
  tenant = newId()
  buyer = await someMember(tenant)
})

async function someMember(of: string): Promise<string> {
  const id = newId()
  await daybook.transact({ tenant: of, actor: userActor(id) }, async em => {
    const user = em.create(User, { id, email: `${id}@example.com` })
    const role = em.create(Role, { key: `role-${id}`, name: 'Buyer' })
    em.create(Membership, { user, role, joinedAt: at })
  })
  return id
}

const at = new Date('2026-11-23T10:00:00Z')
const work = <T>(does: (em: ScopedEntityManager) => Promise<T>, of = tenant): Promise<T> =>
  daybook.transact({ tenant: of, actor: systemActor('shop') }, does)

/** People have logs of their own, which this one can't tell. */
const logTellsIt = () =>
  work(async em => expect((await replayProblems(em)).filter(({ table }) => table.startsWith('marketplace'))).toEqual([]))

/** Items by sku, made where they aren't there yet. */
const item = async (em: ScopedEntityManager, sku: string, more: Partial<MarketplaceItem> = {}) => {
  const found = await em.findOne(MarketplaceItem, { sku })
  if (found) return found
  const made = em.create(MarketplaceItem, { sku, title: sku, kind: 'PRODUCT', priceMinor: 1_050n, currency: 'EUR', ...more })
  await em.flush()
  return made
}

const place = (quantities: Readonly<Record<string, number>>, when = at) =>
  work(async em => {
    const lines = []
    for (const [sku, quantity] of Object.entries(quantities)) lines.push({ item: await item(em, sku), quantity })
    return placeOrder(em, await em.findOneOrFail(User, buyer), lines, when)
  })

describe('an order', () => {
  test('takes its prices from the items, and keeps them', async () => {
    await work(em => item(em, 'audit', { priceMinor: 9_007_199_254_740_993n }))
    const { id } = await place({ audit: 2, report: 3 })
    await work(async em => {
      const audit = await item(em, 'audit')
      audit.priceMinor = 1n
    })
    const order = await work(em => em.findOneOrFail(MarketplaceOrder, id, { populate: ['lines'] }))
    expect(order).toMatchObject({ number: '2026-000001', status: 'PENDING', currency: 'EUR', placedAt: at })
    expect(order.totalMinor).toBe(2n * 9_007_199_254_740_993n + 3n * 1_050n)
    expect(order.lines.getItems().map(({ quantity }) => quantity)).toEqual(expect.arrayContaining([2, 3]))
    await logTellsIt()
  })

  test.each([
    ['things', { nail: 2 ** 31 }],
    ['money', { yacht: 2 }],
  ])('of more %s than can be kept is refused', async (_what, quantities) => {
    await work(em => item(em, 'yacht', { priceMinor: 2n ** 62n }))
    await expect(place(quantities)).rejects.toMatchObject({ code: 'commerce.order_invalid' })
  })

  test('of more of one thing than can be kept is refused, in however many lines', async () => {
    const attempt = work(async em => {
      const line = { item: await item(em, 'nail'), quantity: 2 ** 30 }
      return placeOrder(em, await em.findOneOrFail(User, buyer), [line, line])
    })
    await expect(attempt).rejects.toMatchObject({ code: 'commerce.order_invalid' })
  })

  test('takes no line in another currency, by whomever it is written', async () => {
    const { id } = await place({ audit: 1 })
    const attempt = work(async em => {
      const order = await em.findOneOrFail(MarketplaceOrder, id)
      em.create(MarketplaceOrderItem, { order, item: await item(em, 'report', { currency: 'USD' }), quantity: 1, unitMinor: 100n })
      order.totalMinor += 100n
    })
    await expect(attempt).rejects.toThrow(/priced in the currency of its order/)
  })

  test('has one line for an item that is asked for twice', async () => {
    await work(async em => {
      const some = await item(em, 'a')
      return placeOrder(em, await em.findOneOrFail(User, buyer), [
        { item: some, quantity: 1 },
        { item: some, quantity: 2 },
      ])
    })
    expect(await work(em => em.find(MarketplaceOrderItem, {}))).toMatchObject([{ quantity: 3 }])
  })

  test.each([
    ['nothing', {}],
    ['less than one', { a: 0 }],
    ['a part of one', { a: 1.5 }],
  ])('of %s is refused', async (_what, quantities) => {
    await expect(place(quantities)).rejects.toMatchObject({ code: 'commerce.order_invalid' })
  })

  test('in two currencies is refused', async () => {
    await work(em => item(em, 'dollars', { currency: 'USD' }))
    await expect(place({ dollars: 1, euros: 1 })).rejects.toMatchObject({ code: 'commerce.order_invalid' })
  })

  test.each(['SOLD_OUT', 'COMING_SOON'] as const)('of what is %s is refused, and takes no number', async status => {
    await work(em => item(em, 'a', { status }))
    await expect(place({ a: 1, b: 1 })).rejects.toMatchObject({ code: 'commerce.item_unavailable' })
    expect((await place({ b: 1 })).number).toBe('2026-000001')
  })

  test('sees a price that changed while it was being written', async () => {
    const stale = await work(em => item(em, 'a'))
    await work(em => em.nativeUpdate(MarketplaceItem, { sku: 'a' }, { priceMinor: 7n }))
    const order = await work(async em => placeOrder(em, await em.findOneOrFail(User, buyer), [{ item: stale, quantity: 1 }], at))
    expect(order.totalMinor).toBe(7n)
  })

  test('of fifty at once has a number of its own, without gaps, in each organization from one', async () => {
    await work(em => item(em, 'a'))
    const placed = await Promise.all(Array.from({ length: 50 }, () => place({ a: 1 })))
    const numbers = placed.map(({ number }) => number).toSorted()
    expect(numbers).toEqual(Array.from({ length: 50 }, (_none, index) => `2026-${String(index + 1).padStart(6, '0')}`))
    expect((await place({ a: 1 }, new Date('2027-01-01T00:00:00Z'))).number).toBe('2027-000001')
    tenant = newId()
    buyer = await someMember(tenant)
    expect((await place({ a: 1 })).number).toBe('2026-000001')
  })

  test('that is deleted leaves its number to nobody, and takes its lines along, paid or not', async () => {
    const { id } = await place({ a: 1 })
    await work(async em => (await em.findOneOrFail(MarketplaceOrder, id)).pay())
    await work(async em => void em.remove(await em.findOneOrFail(MarketplaceOrder, id)))
    expect(await work(em => em.count(MarketplaceOrderItem))).toBe(0)
    const { id: next, number } = await place({ a: 1 })
    expect(number).toBe('2026-000002')
    await work(em => em.execute('delete from marketplace_order where id = ?', [next]))
    expect(await work(em => em.count(MarketplaceOrderItem))).toBe(0)
    await logTellsIt()
  })
})

describe('the total of an order', () => {
  let id: string
  beforeEach(async () => {
    ;({ id } = await place({ a: 2, b: 1 }))
  })
  const run = (...statements: string[]) =>
    work(async em => {
      for (const sql of statements) await em.execute(sql)
    })
  const newLine = `insert into marketplace_order_item (id, tenant_id, order_id, item_id, quantity, unit_minor)
    select gen_random_uuid(), i.tenant_id, o.id, i.id, 1, 5 from marketplace_order o, marketplace_item i where i.sku = 'c'`

  test.each([
    ['a quantity', `update marketplace_order_item set quantity = 9 where quantity = 2`],
    ['a price', `update marketplace_order_item set unit_minor = 1`],
    ['one line less', `delete from marketplace_order_item where quantity = 2`],
    ['the total alone', `update marketplace_order set total_minor = total_minor + 1`],
    ['one line more', newLine],
  ])('refuses %s at COMMIT', async (_what, sql) => {
    await work(em => item(em, 'c'))
    const before = await work(em => em.execute('select * from marketplace_order_item order by id'))
    let isWritten = false
    const attempt = work(async em => {
      await em.execute(sql)
      isWritten = true
    })
    await expect(attempt).rejects.toMatchObject({ code: '23514', message: expect.stringContaining('the total of an order') as string })
    expect(isWritten).toBe(true)
    expect(await work(em => em.execute('select * from marketplace_order_item order by id'))).toEqual(before)
  })

  test('follows its lines where both change', async () => {
    await work(em => item(em, 'c'))
    await run(newLine, 'update marketplace_order set total_minor = total_minor + 5')
    await run('update marketplace_order set total_minor = 5', `delete from marketplace_order_item where unit_minor <> 5`)
    expect(await work(em => em.findOneOrFail(MarketplaceOrder, id))).toMatchObject({ totalMinor: 5n })
  })

  test('of two who change it at once is that of both, or one is refused', async () => {
    await work(em => item(em, 'c'))
    const add = `update marketplace_order_item set quantity = quantity + 1 where unit_minor = 1050`
    const attempts = [1, 2, 3, 4].map(() => run(add, 'update marketplace_order set total_minor = total_minor + 2100'))
    await Promise.allSettled(attempts)
    const [row] = await work(em =>
      em.execute<{ equal: boolean }[]>(
        `select o.total_minor = (select sum(quantity * unit_minor) from marketplace_order_item) as equal from marketplace_order o`,
      ),
    )
    expect(row).toEqual({ equal: true })
  })

  test.each(['pay', 'cancel'] as const)('and its lines stay as they were after %s', async move => {
    await work(em => item(em, 'c'))
    await work(async em => (await em.findOneOrFail(MarketplaceOrder, id))[move]())
    for (const sql of [newLine, 'update marketplace_order_item set quantity = 3', 'delete from marketplace_order_item']) {
      await expect(run(sql)).rejects.toMatchObject({ message: expect.stringContaining('only while it is PENDING') as string })
    }
    await expect(run('update marketplace_order set total_minor = 1')).rejects.toMatchObject({ code: '23514' })
    await expect(run(`update marketplace_order set status = 'PENDING'`)).rejects.toMatchObject({ code: '23514' })
    await run('update marketplace_order_item set updated_at = now()')
  })

  test('isn’t changed under whoever pays for it', async () => {
    const paid = work(async em => {
      await em.execute(`update marketplace_order set status = 'PAID'`)
      await new Promise(resolve => setTimeout(resolve, 200))
    })
    await new Promise(resolve => setTimeout(resolve, 60))
    const late = run('update marketplace_order_item set quantity = 1', 'update marketplace_order set total_minor = 2100')
    await expect(late).rejects.toMatchObject({ code: '23514' })
    await paid
  })
})

test.each([
  ['a price below nothing', { priceMinor: -1n }],
  ['a currency that is none', { currency: 'euro' }],
])('an item with %s is refused', async (_what, more) => {
  await expect(work(em => item(em, 'a', more))).rejects.toMatchObject({ code: '23514' })
})

test('a sku is one item’s', async () => {
  await work(em => item(em, 'a'))
  const again = work(
    async em => void em.create(MarketplaceItem, { sku: 'a', title: 'a', kind: 'SERVICE', priceMinor: 0n, currency: 'EUR' }),
  )
  await expect(again).rejects.toMatchObject({ code: '23505' })
})
