/**
 * Billing: what an organization pays for and how much of it it has used. The payment provider says what a subscription is; its events are
 * believed by their signature, taken in once each, and in the order in which they were made. Quotas are counted in one statement, so nobody
 * gets past a limit however many try at once; each use is an event that is only ever added, and the database keeps what a day adds up to.
 */
export { BillingEvent, BillingEventSchema, type BillingEventStatus, billingEventStatuses } from './billing-event.entity.ts'
export { receiveStripeEvent, type StripeEvent, type StripeSubscription } from './billing-events.ts'
export { OrganizationUnknownError, QuantityRefusedError, QuotaExceededError, SignatureRefusedError } from './billing.errors.ts'
export { planCatalogue, syncPlanCatalogue } from './plan-catalogue.ts'
export { Plan, PlanSchema } from './plan.entity.ts'
export { QuotaCounter, QuotaCounterSchema } from './quota-counter.entity.ts'
export { resetQuotas } from './reset-quotas.ts'
export { assertStripeSignature } from './stripe-signature.ts'
export {
  Subscription,
  SubscriptionSchema,
  type SubscriptionStatus,
  subscriptionStatuses,
  subscriptionTransitions,
} from './subscription.entity.ts'
export { UsageDay, UsageDaySchema } from './usage-day.entity.ts'
export { UsageEvent, UsageEventSchema } from './usage-event.entity.ts'
export { type Limits, type UsageMetric, usageMetrics } from './usage-metrics.ts'
export { type Quota, type QuotaOf, quotas, type Use, useQuota } from './use-quota.ts'
