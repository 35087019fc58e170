import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { rowTrigger, tenantEntity, TenantRow } from '../../orm/index.ts'
import { BookingSlot } from './booking-slot.entity.ts'

export const auditTypes = ['WEBSITE', 'SECURITY', 'ACCESSIBILITY', 'PERFORMANCE'] as const
export type AuditType = (typeof auditTypes)[number]

export const bookingStatuses = ['SCHEDULED', 'CONFIRMED', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED', 'NO_SHOW', 'RESCHEDULED'] as const
export type BookingStatus = (typeof bookingStatuses)[number]

export const bookingTransitions: Transitions<BookingStatus> = {
  SCHEDULED: ['CONFIRMED', 'IN_PROGRESS', 'CANCELLED', 'NO_SHOW', 'RESCHEDULED'],
  CONFIRMED: ['IN_PROGRESS', 'CANCELLED', 'NO_SHOW', 'RESCHEDULED'],
  IN_PROGRESS: ['COMPLETED', 'CANCELLED'],
  COMPLETED: [],
  CANCELLED: [],
  NO_SHOW: [],
  RESCHEDULED: [],
}

/** A seat in a slot, for somebody who wants something audited. It holds its seat until it is cancelled or moved to another slot. */
export class AuditBooking extends TenantRow {
  declare slot: Ref<BookingSlot>
  declare auditType: AuditType
  declare status: Opt<BookingStatus>
  declare contactEmail: string
  declare contactName: string
  declare notes?: string | null
  /** Of whoever booked; the slot has its own. */
  declare timeZone: string
  declare meetingUrl?: string | null
  /** The booking in whose place this one is. */
  declare replaces?: Ref<AuditBooking> | null
  declare version: Opt<number>

  confirm(): void {
    this.become('CONFIRMED')
  }

  start(): void {
    this.become('IN_PROGRESS')
  }

  complete(): void {
    this.become('COMPLETED')
  }

  cancel(): void {
    this.become('CANCELLED')
  }

  missed(): void {
    this.become('NO_SHOW')
  }

  giveWay(): void {
    this.become('RESCHEDULED')
  }

  private become(status: BookingStatus): void {
    this.status = nextState('A booking', bookingTransitions, this.status, status)
  }
}

const holdsSeat = (row: 'new' | 'old') => `${row}.status not in ('CANCELLED', 'RESCHEDULED')`

/**
 * Counts seats where they are kept, so that the slot's own checks refuse one too many, whoever writes. The update takes the slot's lock, so
 * any number of bookings at once take turns.
 */
const seats = rowTrigger({
  table: 'audit_booking',
  name: 'seats',
  at: 'after',
  events: ['insert', 'delete', 'update of status'],
  body: `declare change int := 0;
    begin
      if tg_op <> 'DELETE' and ${holdsSeat('new')} then change := 1; end if;
      if tg_op <> 'INSERT' and ${holdsSeat('old')} then change := change - 1; end if;
      if change <> 0 then
        update booking_slot s set booked = s.booked + change where s.id = coalesce(new.slot_id, old.slot_id);
      end if;
      return null;
    end;`,
})

export const AuditBookingSchema: EntitySchema<AuditBooking> = tenantEntity({
  class: AuditBooking,
  properties: {
    slot: () => p.manyToOne(BookingSlot).ref(),
    auditType: p.enum(auditTypes),
    status: p.enum(bookingStatuses).default('SCHEDULED'),
    contactEmail: p.text(),
    contactName: p.text(),
    notes: p.text().nullable(),
    timeZone: p.text(),
    meetingUrl: p.text().nullable(),
    replaces: () => p.manyToOne(AuditBooking).ref().nullable(),
    version: p.integer().version(),
  },
  indexes: [{ properties: ['slot', 'status'] }],
  checks: [{ name: 'audit_booking_email_lower_case', expression: 'contact_email = lower(contact_email)' }],
  audit: { personal: ['contactEmail', 'contactName', 'notes'] },
  immutable: ['slot', 'auditType'],
  triggers: [seats],
})
