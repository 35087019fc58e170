import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { moment, refused, tenantEntity, TenantRow } from '../../orm/index.ts'
import { SlotInUseError, SlotUnavailableError } from './commerce.errors.ts'

export const slotKinds = ['AVAILABLE', 'BLOCKED'] as const
export type SlotKind = (typeof slotKinds)[number]

/** A time that can be booked, or one that is kept free of bookings. */
export class BookingSlot extends TenantRow {
  /** BLOCKED is kept free for good; one that is AVAILABLE may be blocked for a while. */
  declare kind: Opt<SlotKind>
  declare startsAt: Date
  declare endsAt: Date
  declare timeZone: string
  declare capacity: Opt<number>
  declare isBlocked: Opt<boolean>
  /** Counted by the database with each booking; nobody else writes it. */
  declare booked: Opt<number>

  requireSeat(at: Date): void {
    if (this.isBlocked) throw new SlotUnavailableError(this.id, 'blocked')
    if (this.startsAt <= at) throw new SlotUnavailableError(this.id, 'past')
    if (this.booked >= this.capacity) throw new SlotUnavailableError(this.id, 'full')
  }

  block(): void {
    if (this.booked > 0) throw new SlotInUseError(this.id, this.booked)
    this.isBlocked = true
  }

  unblock(): void {
    if (this.kind === 'BLOCKED') throw new SlotUnavailableError(this.id, 'blocked')
    this.isBlocked = false
  }
}

export const BookingSlotSchema: EntitySchema<BookingSlot> = tenantEntity({
  class: BookingSlot,
  properties: {
    kind: p.enum(slotKinds).default('AVAILABLE'),
    startsAt: moment(),
    endsAt: moment(),
    timeZone: p.text(),
    capacity: p.integer().default(1),
    isBlocked: p.boolean().default(false),
    booked: p.integer().default(0),
  },
  indexes: [{ properties: ['startsAt'] }],
  checks: [
    { name: 'booking_slot_time', expression: 'starts_at < ends_at' },
    { name: 'booking_slot_capacity', expression: 'capacity >= 1' },
    { name: 'booking_slot_seats', expression: 'booked >= 0 and booked <= capacity' },
    { name: 'booking_slot_blocked', expression: `(kind = 'AVAILABLE' or is_blocked) and (not is_blocked or booked = 0)` },
  ],
  triggers: [byHand('insert', 'new.booked <> 0'), byHand('update', 'new.booked is distinct from old.booked')],
})

/** The count is the work of the bookings' trigger, which writes one level deeper than anybody else. */
function byHand(event: 'insert' | 'update', changes: string) {
  return refused({
    table: 'booking_slot',
    name: `counted_${event}`,
    event,
    when: `${changes} and pg_trigger_depth() = 0`,
    message: 'the seats of a slot are counted with its bookings',
  })
}
