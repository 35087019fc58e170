import { Type } from 'typebox'
import {
  AuditBooking,
  auditTypes,
  blockSlot,
  book,
  BookingSlot,
  cancelBooking,
  importSubscribers,
  MarketplaceItem,
  MarketplaceOrder,
  MarketplaceOrderItem,
  NewsletterDelivery,
  NewsletterIssue,
  NewsletterSubscriber,
  OrderSeries,
  placeOrder,
  rescheduleBooking,
  unsubscribeTokenOf,
} from '../../../domain/commerce/index.ts'
import { User } from '../../../domain/identity/index.ts'
import { now } from '../../../kernel/clock.ts'
import { emailField, exactly, idField, nameField, oneOf } from '../../fields.ts'
import { PersonRequiredError } from '../../http.errors.ts'
import { momentField } from '../fields.ts'
import { found } from '../found.ts'
import { action, creation, resource, sent } from '../resource.ts'

const price = () => Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const currency = () => Type.String({ pattern: '^[A-Z]{3}$' })

const orderBody = exactly({
  lines: Type.Array(exactly({ item: idField(), quantity: Type.Integer({ minimum: 1, maximum: 1_000_000 }) }), {
    minItems: 1,
    maxItems: 200,
  }),
})

const bookingBody = exactly({
  slot: idField(),
  auditType: oneOf([...auditTypes]),
  contactEmail: emailField(),
  contactName: nameField(),
  notes: Type.Optional(Type.String({ maxLength: 4_000 })),
  timeZone: Type.String({ maxLength: 100 }),
  meetingUrl: Type.Optional(Type.String({ maxLength: 2_000 })),
})

const subscribersBody = exactly({
  subscribers: Type.Array(exactly({ email: emailField(), locale: Type.Optional(Type.String({ maxLength: 35 })), source: nameField() }), {
    minItems: 1,
    maxItems: 500,
  }),
})

export const commerce = [
  resource(MarketplaceItem, {
    give: ['sku', 'kind'],
    write: ['title', 'description', 'priceMinor', 'currency'],
    inputs: { priceMinor: price(), currency: currency(), sku: nameField(), title: nameField() },
    actions: {
      release: action('update', (_work, item: MarketplaceItem) => item.release()),
      'sell-out': action('update', (_work, item: MarketplaceItem) => item.sellOut()),
      announce: action('update', (_work, item: MarketplaceItem) => item.announce()),
    },
  }),
  resource(MarketplaceOrder, {
    create: creation(orderBody, async ({ em, user }, { lines }) => {
      if (!user) throw new PersonRequiredError()
      const wanted = lines.map(async ({ item, quantity }) => ({ item: await found(em, MarketplaceItem, item), quantity }))
      return placeOrder(em, await em.findOneOrFail(User, user.id), await Promise.all(wanted))
    }),
    actions: {
      pay: action('manage', (_work, order: MarketplaceOrder) => order.pay()),
      fulfil: action('update', (_work, order: MarketplaceOrder) => order.fulfil()),
      cancel: action('update', (_work, order: MarketplaceOrder) => order.cancel()),
      refund: action('manage', (_work, order: MarketplaceOrder) => order.refund()),
    },
  }),
  resource(MarketplaceOrderItem),
  resource(OrderSeries),
  resource(NewsletterSubscriber, {
    together: {
      import: sent('manage', subscribersBody, exactly({ added: Type.Integer(), known: Type.Integer() }), ({ em }, { subscribers }) =>
        importSubscribers(em, subscribers),
      ),
    },
    actions: {
      unsubscribe: action('update', (_work, subscriber: NewsletterSubscriber) => subscriber.unsubscribe(now())),
      bounce: action('update', (_work, subscriber: NewsletterSubscriber) => subscriber.bounce()),
      complain: action('update', (_work, subscriber: NewsletterSubscriber) => subscriber.complain()),
      'unsubscribe-token': {
        permission: 'manage',
        answer: exactly({ token: Type.String() }),
        isSecret: true,
        run: async ({ em }, subscriber: NewsletterSubscriber) => ({ token: await unsubscribeTokenOf(em, subscriber) }),
      },
    },
  }),
  resource(NewsletterDelivery, {
    actions: { retry: action('update', (_work, delivery: NewsletterDelivery) => delivery.retry(now())) },
  }),
  resource(NewsletterIssue, {
    write: ['subject', 'body'],
    actions: {
      schedule: action('update', exactly({ scheduledAt: momentField() }), (_work, issue: NewsletterIssue, { scheduledAt }) =>
        issue.schedule(new Date(scheduledAt), now()),
      ),
      unschedule: action('update', (_work, issue: NewsletterIssue) => issue.unschedule()),
      pause: action('update', (_work, issue: NewsletterIssue) => issue.pause()),
      resume: action('update', (_work, issue: NewsletterIssue) => issue.resume()),
    },
  }),
  resource(BookingSlot, {
    give: ['kind', 'startsAt', 'endsAt', 'timeZone', 'capacity'],
    inputs: { timeZone: Type.String({ maxLength: 100 }), capacity: Type.Integer({ minimum: 1, maximum: 100_000 }) },
    actions: {
      block: action('update', ({ em }, slot: BookingSlot) => blockSlot(em, slot)),
      unblock: action('update', (_work, slot: BookingSlot) => slot.unblock()),
    },
  }),
  resource(AuditBooking, {
    create: creation(bookingBody, async ({ em }, { slot, ...body }) => book(em, await found(em, BookingSlot, slot), body)),
    actions: {
      confirm: action('update', (_work, booking: AuditBooking) => booking.confirm()),
      start: action('update', (_work, booking: AuditBooking) => booking.start()),
      complete: action('update', (_work, booking: AuditBooking) => booking.complete()),
      cancel: action('update', ({ em }, booking: AuditBooking) => cancelBooking(em, booking)),
      'no-show': action('update', (_work, booking: AuditBooking) => booking.missed()),
      reschedule: action('update', exactly({ slot: idField() }), async ({ em }, booking: AuditBooking, { slot }) =>
        rescheduleBooking(em, booking, await found(em, BookingSlot, slot), now()),
      ),
    },
  }),
]
