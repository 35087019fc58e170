import { BookingSlot, type ItemKind, MarketplaceItem } from '../../src/entities.ts'
import { demoArea } from './demo-area.ts'

interface CommerceData {
  readonly items: readonly {
    readonly sku: string
    readonly title: string
    readonly kind: ItemKind
    readonly priceMinor: number
    readonly currency: string
    readonly description: string
  }[]
  readonly slot: { readonly startsAt: string; readonly endsAt: string; readonly timeZone: string; readonly capacity: number }
}

const data: Readonly<Record<string, CommerceData>> = {
  'demo-org': {
    items: [
      {
        sku: 'AUDIT-WEB',
        title: 'Audit of a website',
        kind: 'SERVICE',
        priceMinor: 49_000,
        currency: 'EUR',
        description: 'Accessibility, performance and security, with a report.',
      },
      {
        sku: 'TRAINING-DAY',
        title: 'A day of training',
        kind: 'SERVICE',
        priceMinor: 120_000,
        currency: 'EUR',
        description: 'For up to twelve people, in your rooms.',
      },
      {
        sku: 'HANDBOOK',
        title: 'The handbook, printed',
        kind: 'PRODUCT',
        priceMinor: 3_900,
        currency: 'EUR',
        description: '240 pages.',
      },
    ],
    slot: { startsAt: '2026-01-12T09:00:00Z', endsAt: '2026-01-12T10:00:00Z', timeZone: 'Europe/Paris', capacity: 2 },
  },
}

/** What can be ordered, and a time that can be booked. */
export const commerce = demoArea('commerce', data, (work, { items, slot }) =>
  work.transact(async demo => {
    const { em } = demo
    for (const { priceMinor, ...item } of items)
      await demo.ensure(MarketplaceItem, { sku: item.sku }, () => em.create(MarketplaceItem, { ...item, priceMinor: BigInt(priceMinor) }))
    const [startsAt, endsAt] = [new Date(slot.startsAt), new Date(slot.endsAt)]
    await demo.ensure(BookingSlot, { startsAt }, () => em.create(BookingSlot, { ...slot, startsAt, endsAt }))
  }),
)
