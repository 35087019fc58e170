/** What the rest of Daybook needs of this area, and no application. */
export { answerOnce, countExpiredIdempotencyKeys, type RepeatableRequest } from './idempotency.ts'
export { queueMessages, type TopicRule } from './outbox.ts'
export { countDueMessages } from './relay-messages.ts'
export { countDueDeliveries, queueDeliveries } from './webhook-deliveries.ts'
