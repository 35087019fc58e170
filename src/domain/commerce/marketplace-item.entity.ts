import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { tenantEntity, TenantRow } from '../../orm/index.ts'

export const itemKinds = ['PRODUCT', 'SERVICE'] as const
export type ItemKind = (typeof itemKinds)[number]

export const itemStatuses = ['AVAILABLE', 'SOLD_OUT', 'COMING_SOON'] as const
export type ItemStatus = (typeof itemStatuses)[number]

export const itemTransitions: Transitions<ItemStatus> = {
  AVAILABLE: ['SOLD_OUT'],
  SOLD_OUT: ['AVAILABLE', 'COMING_SOON'],
  COMING_SOON: ['AVAILABLE'],
}

/** What can be ordered, at a price in minor units. Orders keep the price at which they were placed. */
export class MarketplaceItem extends TenantRow {
  declare sku: string
  declare title: string
  declare kind: ItemKind
  declare status: Opt<ItemStatus>
  declare priceMinor: bigint
  declare currency: string
  declare description?: string | null
  declare version: Opt<number>

  release(): void {
    this.become('AVAILABLE')
  }

  sellOut(): void {
    this.become('SOLD_OUT')
  }

  /** More of what was sold out is on its way. */
  announce(): void {
    this.become('COMING_SOON')
  }

  private become(status: ItemStatus): void {
    this.status = nextState('An item', itemTransitions, this.status, status)
  }
}

export const MarketplaceItemSchema: EntitySchema<MarketplaceItem> = tenantEntity({
  class: MarketplaceItem,
  properties: {
    sku: p.text(),
    title: p.text(),
    kind: p.enum(itemKinds),
    status: p.enum(itemStatuses).default('AVAILABLE'),
    priceMinor: p.bigint('bigint'),
    currency: p.text(),
    description: p.text().nullable(),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['sku'] }],
  indexes: [{ properties: ['status', 'kind'] }],
  checks: [
    { name: 'marketplace_item_price', expression: 'price_minor >= 0' },
    { name: 'marketplace_item_currency', expression: `currency ~ '^[A-Z]{3}$'` },
  ],
})
