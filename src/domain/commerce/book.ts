import { wrap } from '@mikro-orm/core'
import { now } from '../../kernel/clock.ts'
import { inTurn, lockedAfresh, type ScopedEntityManager } from '../../orm/index.ts'
import { normalizeEmail } from '../identity/index.ts'
import { requireTimeZone } from '../scheduling/index.ts'
import { AuditBooking, type AuditType } from './audit-booking.entity.ts'
import { BookingSlot } from './booking-slot.entity.ts'
import { SlotUnavailableError } from './commerce.errors.ts'

export interface BookingInput {
  readonly auditType: AuditType
  readonly contactEmail: string
  readonly contactName: string
  readonly notes?: string
  readonly timeZone: string
  readonly meetingUrl?: string
}

/** Takes a seat, or says why there is none. */
export function book(em: ScopedEntityManager, slot: BookingSlot, input: BookingInput, at: Date = now()): Promise<AuditBooking> {
  const contactEmail = normalizeEmail(input.contactEmail)
  requireTimeZone(input.timeZone)
  return inTurn(em, async inner => {
    const [locked] = await lockSlots(inner, [slot.id])
    locked!.requireSeat(at)
    const booking = inner.create(AuditBooking, { ...input, contactEmail, slot: locked! })
    await recount(inner, [locked!])
    return booking
  })
}

/** Frees the seat. */
export function cancelBooking(em: ScopedEntityManager, { id }: AuditBooking): Promise<AuditBooking> {
  return inTurn(em, async inner => {
    const booking = await lockBooking(inner, id)
    booking.cancel()
    await recount(inner, await lockSlots(inner, [booking.slot.id]))
    return booking
  })
}

/** A new booking in another slot, which has to have a seat; the old one stays to be seen and gives its seat back. */
export function rescheduleBooking(em: ScopedEntityManager, { id }: AuditBooking, to: BookingSlot, at: Date = now()): Promise<AuditBooking> {
  return inTurn(em, async inner => {
    const old = await lockBooking(inner, id)
    if (old.slot.id === to.id) throw new SlotUnavailableError(to.id, 'same')
    const slots = await lockSlots(inner, [old.slot.id, to.id])
    const slot = slots.find(({ id: of }) => of === to.id)!
    slot.requireSeat(at)
    old.giveWay()
    const { auditType, contactEmail, contactName, timeZone, notes = null } = old
    const who = { auditType, contactEmail, contactName, timeZone, notes }
    const booking = inner.create(AuditBooking, { ...who, slot, replaces: wrap(old).toReference() })
    await recount(inner, slots)
    return booking
  })
}

/** Closes a slot that nobody has booked. */
export function blockSlot(em: ScopedEntityManager, { id }: BookingSlot): Promise<BookingSlot> {
  return inTurn(em, async inner => {
    const [slot] = await lockSlots(inner, [id])
    slot!.block()
    return slot!
  })
}

/** In the order of their ids, so that two who need the same never wait for each other. */
async function lockSlots(em: ScopedEntityManager, ids: string[]): Promise<BookingSlot[]> {
  const slots: BookingSlot[] = []
  for (const id of ids.toSorted()) {
    slots.push(await lockedAfresh(em, BookingSlot, id))
  }
  return slots
}

function lockBooking(em: ScopedEntityManager, id: string): Promise<AuditBooking> {
  return lockedAfresh(em, AuditBooking, id)
}

/** The database has counted: what is known of the slots here follows. */
async function recount(em: ScopedEntityManager, slots: readonly BookingSlot[]): Promise<void> {
  await em.flush()
  for (const slot of slots) await em.refresh(slot)
}
