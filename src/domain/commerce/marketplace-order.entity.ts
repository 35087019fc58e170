import { type Collection, type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, refused, tenantEntity, TenantRow } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { MarketplaceItem } from './marketplace-item.entity.ts'
import { linesAreFrozen, linesShareCurrency, totalOfLines, totalOfOrder } from './order-rules.ts'

export const orderStatuses = ['PENDING', 'PAID', 'FULFILLED', 'CANCELLED', 'REFUNDED'] as const
export type OrderStatus = (typeof orderStatuses)[number]

/** What has been paid isn't cancelled but refunded. */
export const orderTransitions: Transitions<OrderStatus> = {
  PENDING: ['PAID', 'CANCELLED'],
  PAID: ['FULFILLED', 'REFUNDED'],
  FULFILLED: ['REFUNDED'],
  CANCELLED: [],
  REFUNDED: [],
}

/** What somebody buys. The database compares its total with its lines at the end of each transaction, whoever wrote either. */
export class MarketplaceOrder extends TenantRow {
  /** `2026-000001`: by year, without gaps. */
  declare number: string
  declare buyer: Ref<User>
  declare status: Opt<OrderStatus>
  declare totalMinor: bigint
  declare currency: string
  declare placedAt: Date
  declare version: Opt<number>
  declare lines: Collection<MarketplaceOrderItem>

  pay(): void {
    this.become('PAID')
  }

  fulfil(): void {
    this.become('FULFILLED')
  }

  cancel(): void {
    this.become('CANCELLED')
  }

  refund(): void {
    this.become('REFUNDED')
  }

  private become(status: OrderStatus): void {
    this.status = nextState('An order', orderTransitions, this.status, status)
  }
}

export const MarketplaceOrderSchema: EntitySchema<MarketplaceOrder> = tenantEntity({
  class: MarketplaceOrder,
  properties: {
    number: p.text(),
    buyer: () => p.manyToOne(User).ref(),
    status: p.enum(orderStatuses).default('PENDING'),
    totalMinor: p.bigint('bigint'),
    currency: p.text(),
    placedAt: moment(),
    version: p.integer().version(),
    lines: () => p.oneToMany(MarketplaceOrderItem).mappedBy('order'),
  },
  uniques: [{ properties: ['number'] }],
  indexes: [{ properties: ['status', 'placedAt'] }],
  checks: [
    { name: 'marketplace_order_number', expression: `number ~ '^[0-9]{4}-[0-9]{6,}$'` },
    { name: 'marketplace_order_total', expression: 'total_minor >= 0' },
    { name: 'marketplace_order_currency', expression: `currency ~ '^[A-Z]{3}$'` },
  ],
  immutable: ['number', 'buyer', 'currency', 'placedAt'],
  triggers: [
    totalOfOrder,
    refused({
      table: 'marketplace_order',
      name: 'stays_placed',
      event: 'update',
      when: `old.status <> 'PENDING' and new.status = 'PENDING'`,
      message: 'an order that is no longer PENDING never is again, for its lines could change then',
    }),
  ],
})

/** One line of an order: how many of what, at the price of that moment. */
export class MarketplaceOrderItem extends TenantRow {
  declare order: Ref<MarketplaceOrder>
  declare item: Ref<MarketplaceItem>
  declare quantity: number
  declare unitMinor: bigint
}

export const MarketplaceOrderItemSchema: EntitySchema<MarketplaceOrderItem> = tenantEntity({
  class: MarketplaceOrderItem,
  properties: {
    order: () => p.manyToOne(MarketplaceOrder).ref().deleteRule('cascade'),
    item: () => p.manyToOne(MarketplaceItem).ref(),
    quantity: p.integer(),
    unitMinor: p.bigint('bigint'),
  },
  uniques: [{ properties: ['order', 'item'] }],
  checks: [{ name: 'marketplace_order_item_amount', expression: 'quantity > 0 and unit_minor >= 0' }],
  immutable: ['order', 'item'],
  triggers: [linesAreFrozen, linesShareCurrency, totalOfLines],
})
