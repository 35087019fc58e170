/**
 * Commerce: what an organization sells, sends and has booked. Orders take their prices from the items, and their totals can't disagree with
 * their lines; newsletters go to those who have said twice that they want them, once each, until one click ends it; slots give away no more
 * seats than they have. Each of these rules is the database's, so raw SQL is held to it too.
 */
export {
  AuditBooking,
  AuditBookingSchema,
  type AuditType,
  auditTypes,
  type BookingStatus,
  bookingStatuses,
  bookingTransitions,
} from './audit-booking.entity.ts'
export { blockSlot, book, type BookingInput, cancelBooking, rescheduleBooking } from './book.ts'
export { BookingSlot, BookingSlotSchema, type SlotKind, slotKinds } from './booking-slot.entity.ts'
export {
  deliverIssues,
  type NewsletterMail,
  type NewsletterMailer,
  type NewsletterSender,
  type NewsletterSettings,
} from './deliver-issues.ts'
export {
  IssueNotDueError,
  IssueNotReadyError,
  ItemUnavailableError,
  OrderInvalidError,
  SlotInUseError,
  SlotUnavailableError,
  SubscriptionTokenError,
} from './commerce.errors.ts'
export {
  type ItemKind,
  itemKinds,
  type ItemStatus,
  itemStatuses,
  itemTransitions,
  MarketplaceItem,
  MarketplaceItemSchema,
} from './marketplace-item.entity.ts'
export {
  MarketplaceOrder,
  MarketplaceOrderItem,
  MarketplaceOrderItemSchema,
  MarketplaceOrderSchema,
  type OrderStatus,
  orderStatuses,
  orderTransitions,
} from './marketplace-order.entity.ts'
export {
  type MailStatus,
  mailStatuses,
  mailTransitions,
  NewsletterDelivery,
  NewsletterDeliverySchema,
} from './newsletter-delivery.entity.ts'
export {
  type IssueStats,
  type IssueStatus,
  issueStatuses,
  issueTransitions,
  NewsletterIssue,
  NewsletterIssueSchema,
} from './newsletter-issue.entity.ts'
export {
  NewsletterSubscriber,
  NewsletterSubscriberSchema,
  type SubscriberStatus,
  subscriberStatuses,
  subscriberTransitions,
} from './newsletter-subscriber.entity.ts'
export { OrderSeries, OrderSeriesSchema } from './order-series.entity.ts'
export { type OrderLine, placeOrder } from './place-order.ts'
export { recipientsOf, type Recipients } from './recipients.ts'
export {
  confirmSubscription,
  type ImportReport,
  importSubscribers,
  subscribeToNewsletter,
  type SubscriberInput,
  unsubscribe,
  unsubscribeTokenOf,
} from './subscribe.ts'
