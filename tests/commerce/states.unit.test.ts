import { describe, expect, test } from 'vitest'
import {
  AuditBooking,
  bookingStatuses,
  bookingTransitions,
  BookingSlot,
  issueStatuses,
  issueTransitions,
  itemStatuses,
  itemTransitions,
  mailStatuses,
  mailTransitions,
  MarketplaceItem,
  MarketplaceOrder,
  NewsletterDelivery,
  NewsletterIssue,
  NewsletterSubscriber,
  orderStatuses,
  orderTransitions,
  subscriberStatuses,
  subscriberTransitions,
} from '../../src/entities.ts'
import type { Transitions } from '../../src/kernel/transitions.ts'

const at = new Date('2026-11-23T10:00:00Z')

/** Each state to each state: allowed ones come about, the others are refused and change nothing. */
function everyMove<S extends string, E extends { status: S }>(
  name: string,
  make: () => E,
  statuses: readonly S[],
  transitions: Transitions<S>,
  moves: Readonly<Partial<Record<S, (entity: E) => void>>>,
) {
  const pairs = statuses.flatMap(from => statuses.map(to => [from, to] as const))

  describe(name, () => {
    test.each(pairs)('that is %s becomes %s only if it may', (from, to) => {
      const entity = Object.assign(make(), { status: from })
      const move = moves[to]
      if (!move) expect(transitions[from]).not.toContain(to)
      else if (transitions[from].includes(to)) {
        move(entity)
        expect(entity.status).toBe(to)
      } else {
        expect(() => move(entity)).toThrow(expect.objectContaining({ code: 'state.transition_refused' }))
        expect(entity.status).toBe(from)
      }
    })
  })
}

everyMove('an item', () => new MarketplaceItem(), itemStatuses, itemTransitions, {
  AVAILABLE: item => item.release(),
  SOLD_OUT: item => item.sellOut(),
  COMING_SOON: item => item.announce(),
})

everyMove('an order', () => new MarketplaceOrder(), orderStatuses, orderTransitions, {
  PAID: order => order.pay(),
  FULFILLED: order => order.fulfil(),
  CANCELLED: order => order.cancel(),
  REFUNDED: order => order.refund(),
})

everyMove(
  'a subscription',
  () => new NewsletterSubscriber(),
  subscriberStatuses.filter(status => status !== 'PENDING'),
  subscriberTransitions,
  {
    ACTIVE: subscriber => subscriber.confirm(at),
    UNSUBSCRIBED: subscriber => subscriber.unsubscribe(at),
    BOUNCED: subscriber => subscriber.bounce(),
    COMPLAINED: subscriber => subscriber.complain(),
  },
)

describe('a subscription that waits for its confirmation', () => {
  const subscriber = (status: NewsletterSubscriber['status']) =>
    Object.assign(new NewsletterSubscriber(), { status, confirmationHash: 'a', confirmBy: at, confirmedAt: at, unsubscribedAt: at })

  test.each(subscriberStatuses.filter(status => status !== 'ACTIVE' && status !== 'COMPLAINED'))('may have been %s before', status => {
    const some = subscriber(status)
    some.awaitConfirmation('b', at)
    expect(some).toMatchObject({ status: 'PENDING', confirmationHash: 'b', confirmedAt: null, unsubscribedAt: null })
  })

  test.each(['ACTIVE', 'COMPLAINED'] as const)('was not %s before', status => {
    const some = subscriber(status)
    expect(() => some.awaitConfirmation('b', at)).toThrow(expect.objectContaining({ code: 'state.transition_refused' }))
    expect(some).toMatchObject({ status, confirmedAt: at })
  })

  test.each(['confirm', 'unsubscribe', 'bounce', 'complain'] as const)('has no token any more after it was told to %s', move => {
    const some = subscriber('PENDING')
    some[move](at)
    expect(some).toMatchObject({ confirmationHash: null, confirmBy: null })
  })
})

everyMove(
  'a newsletter',
  () => Object.assign(new NewsletterIssue(), { subject: 'News', body: 'Text', stats: { delivered: 0 } }),
  issueStatuses,
  issueTransitions,
  {
    DRAFT: issue => issue.unschedule(),
    SCHEDULED: issue => issue.schedule(at, at),
    RUNNING: issue => issue.start(at),
    PAUSED: issue => issue.pause(),
    DONE: issue => issue.finish(at),
  },
)

everyMove('a delivery of a newsletter', () => Object.assign(new NewsletterDelivery(), { attempt: 1 }), mailStatuses, mailTransitions, {
  PENDING: delivery => delivery.retry(at),
  SENT: delivery => delivery.arrive(at),
  SKIPPED: delivery => delivery.skip(),
  DEAD: delivery => Object.assign(delivery, { attempt: 7 }).fail(at, 'no'),
})

describe('a newsletter', () => {
  const draft = (more: object) => Object.assign(new NewsletterIssue(), { status: 'DRAFT', subject: 'News', body: 'Text' }, more)
  const earlier = new Date(at.getTime() - 1)

  test.each([
    [{ subject: ' ' }, ['it has no subject']],
    [{ body: '\n' }, ['it has no body']],
    [{ subject: '', body: '' }, ['it has no subject', 'it has no body']],
  ])('with %j isn’t ready', (more, problems) => {
    expect(() => draft(more).schedule(at, at)).toThrow(expect.objectContaining({ code: 'commerce.issue_not_ready', details: { problems } }))
  })

  test('isn’t scheduled for the past, nor sent before its time', () => {
    expect(() => draft({}).schedule(earlier, at)).toThrow(expect.objectContaining({ code: 'commerce.issue_not_ready' }))
    const issue = draft({})
    issue.schedule(at, earlier)
    expect(() => issue.start(earlier)).toThrow(expect.objectContaining({ code: 'commerce.issue_not_due' }))
    expect(issue.status).toBe('SCHEDULED')
  })
})

everyMove('a booking', () => new AuditBooking(), bookingStatuses, bookingTransitions, {
  CONFIRMED: booking => booking.confirm(),
  IN_PROGRESS: booking => booking.start(),
  COMPLETED: booking => booking.complete(),
  CANCELLED: booking => booking.cancel(),
  NO_SHOW: booking => booking.missed(),
  RESCHEDULED: booking => booking.giveWay(),
})

describe('a slot', () => {
  const slot = (more: object) =>
    Object.assign(new BookingSlot(), { id: 'a', kind: 'AVAILABLE', startsAt: at, capacity: 1, booked: 0, isBlocked: false }, more)
  const before = new Date(at.getTime() - 1)

  test.each([
    ['blocked', { isBlocked: true }, before],
    ['past', {}, at],
    ['full', { booked: 1 }, before],
  ])('that is %s has no seat', (reason, more, when) => {
    expect(() => slot(more).requireSeat(when)).toThrow(
      expect.objectContaining({ code: 'commerce.slot_unavailable', details: { slot: 'a', reason } }),
    )
  })

  test('that is none of these has one', () => {
    expect(() => slot({}).requireSeat(before)).not.toThrow()
  })

  test('that is kept free for good isn’t opened', () => {
    expect(() => slot({ kind: 'BLOCKED', isBlocked: true }).unblock()).toThrow(
      expect.objectContaining({ code: 'commerce.slot_unavailable' }),
    )
    const some = slot({ isBlocked: true })
    some.unblock()
    expect(some.isBlocked).toBe(false)
  })
})
