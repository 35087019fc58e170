import { LockMode } from '@mikro-orm/core'
import { now } from '../../kernel/clock.ts'
import { allLockedAfresh, inTurn, type ScopedEntityManager } from '../../orm/index.ts'
import type { User } from '../identity/index.ts'
import { ItemUnavailableError, OrderInvalidError } from './commerce.errors.ts'
import { MarketplaceItem } from './marketplace-item.entity.ts'
import { MarketplaceOrder, MarketplaceOrderItem } from './marketplace-order.entity.ts'
import { nextOrderNumber } from './order-series.entity.ts'

export interface OrderLine {
  readonly item: MarketplaceItem
  readonly quantity: number
}

/** An order at the prices of this moment, read from the items under their locks. The same item twice is one line. */
export async function placeOrder(
  em: ScopedEntityManager,
  buyer: User,
  lines: readonly OrderLine[],
  at: Date = now(),
): Promise<MarketplaceOrder> {
  const quantities = quantitiesOf(lines)
  return inTurn(em, async inner => {
    const items = await availableItems(inner, [...quantities.keys()])
    const placed = items.map(item => ({ item, quantity: quantities.get(item.id)!, unitMinor: item.priceMinor }))
    const order = inner.create(MarketplaceOrder, {
      number: await nextOrderNumber(inner, items[0]!.tenantId, at),
      buyer,
      totalMinor: totalOf(placed),
      currency: items[0]!.currency,
      placedAt: at,
    })
    for (const line of placed) inner.create(MarketplaceOrderItem, { ...line, order })
    return order
  })
}

function totalOf(placed: readonly { readonly quantity: number; readonly unitMinor: bigint }[]): bigint {
  const total = placed.reduce((sum, { quantity, unitMinor }) => sum + BigInt(quantity) * unitMinor, 0n)
  if (total > mostMinor) throw new OrderInvalidError([`its total is above ${mostMinor}, the largest amount that is kept`])
  return total
}

/** What the columns hold. */
const mostOfOne = 2 ** 31 - 1
const mostMinor = 2n ** 63n - 1n

function quantitiesOf(lines: readonly OrderLine[]): ReadonlyMap<string, number> {
  const wrong = lines.filter(({ quantity }) => !Number.isSafeInteger(quantity) || quantity < 1)
  const problems = wrong.map(({ item, quantity }) => `${quantity} of item ${item.id} is no number of things`)
  if (lines.length === 0) problems.push('it has no lines')
  const quantities = new Map<string, number>()
  for (const { item, quantity } of lines) quantities.set(item.id, (quantities.get(item.id) ?? 0) + quantity)
  for (const [id, quantity] of quantities) if (quantity > mostOfOne) problems.push(`${quantity} of item ${id} are more than ${mostOfOne}`)
  if (problems.length > 0) throw new OrderInvalidError(problems)
  return quantities
}

/** Locked in the order of their ids, so that two orders of the same items never wait for each other. */
async function availableItems(em: ScopedEntityManager, ids: string[]): Promise<MarketplaceItem[]> {
  const items = await allLockedAfresh(
    em,
    MarketplaceItem,
    { id: { $in: ids } },
    { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_READ },
  )
  const available = items.filter(({ status }) => status === 'AVAILABLE').map(({ id }) => id)
  const unavailable = ids.filter(id => !available.includes(id))
  if (unavailable.length > 0) throw new ItemUnavailableError(unavailable)
  const currencies = [...new Set(items.map(({ currency }) => currency))]
  if (currencies.length > 1) throw new OrderInvalidError([`its items are priced in ${currencies.join(' and ')}`])
  return items
}
