import { LockMode, wrap } from '@mikro-orm/core'
import { now } from '../../kernel/clock.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { Organization, type PlanType } from '../organizations/index.ts'
import { BillingEvent } from './billing-event.entity.ts'
import { Plan } from './plan.entity.ts'
import { Subscription, type SubscriptionStatus, subscriptionTransitions } from './subscription.entity.ts'

/** An event of Stripe's, as far as it concerns us. */
export interface StripeEvent {
  readonly id: string
  readonly type: string
  /** Seconds. */
  readonly created: number
  readonly data: { readonly object: StripeSubscription }
}

export interface StripeSubscription {
  readonly id: string
  readonly customer?: string
  readonly status: string
  readonly current_period_start: number
  readonly current_period_end: number
  readonly cancel_at?: number | null
  readonly trial_end?: number | null
  readonly metadata?: { readonly plan?: string }
  readonly items?: { readonly data: readonly { readonly price?: { readonly id?: string } }[] }
}

/**
 * Takes an event in and does what it says, once: the provider sends each at least once, and not always in order, so one that is older than
 * what the subscription knows is set aside. What can't be done is kept with its reason, for somebody to look at.
 */
export async function receiveStripeEvent(em: ScopedEntityManager, event: StripeEvent, at: Date = now()): Promise<BillingEvent> {
  return em.transactional(async inner => {
    // Two deliveries of one event take turns.
    await inner.execute(`select pg_advisory_xact_lock(hashtextextended('daybook:stripe:' || ?, 0))`, [event.id])
    const known = await inner.findOne(BillingEvent, { provider: 'stripe', providerEventId: event.id })
    if (known) return known
    const received = inner.create(BillingEvent, {
      provider: 'stripe',
      providerEventId: event.id,
      type: event.type,
      payload: event as unknown as Record<string, unknown>,
      receivedAt: at,
    })
    if (event.type.startsWith('customer.subscription.')) await follow(inner, received, event, at)
    else received.settle('IGNORED', at)
    return received
  })
}

async function follow(em: ScopedEntityManager, received: BillingEvent, event: StripeEvent, at: Date): Promise<void> {
  const told = event.data.object
  const status = event.type === 'customer.subscription.deleted' ? 'CANCELED' : ours[told.status]
  const plan = await em.findOne(Plan, { key: (told.metadata?.plan ?? '') as PlanType })
  if (!status || !plan) {
    received.settle('FAILED', at, status ? `There is no plan ${told.metadata?.plan ?? '(none named)'}.` : `Unknown status ${told.status}.`)
    return
  }
  const toldAt = new Date(event.created * 1_000)
  const known = await em.findOne(Subscription, { stripeSubscriptionId: told.id }, { lockMode: LockMode.PESSIMISTIC_WRITE })
  if (known?.toldAt && known.toldAt > toldAt) return received.settle('IGNORED', at, 'A later event came before it.')
  if (known && known.status !== status && !subscriptionTransitions[known.status as SubscriptionStatus].includes(status))
    return received.settle('FAILED', at, `A subscription that is ${known.status} can't become ${status}.`)
  const subscription = known ?? (await begin(em, told, plan, status, at))
  subscription.become(status, at)
  Object.assign(subscription, { plan: wrap(plan).toReference(), ...periodIn(told), toldAt })
  received.subscription = wrap(subscription).toReference()
  received.settle('PROCESSED', at)
  await bringPlan(em, subscription, plan)
}

/** What Stripe calls a subscription's state, in our words. One that never began is not one. */
const ours: Readonly<Record<string, SubscriptionStatus | undefined>> = {
  trialing: 'TRIALING',
  active: 'ACTIVE',
  past_due: 'PAST_DUE',
  unpaid: 'PAST_DUE',
  paused: 'PAST_DUE',
  canceled: 'CANCELED',
  incomplete_expired: 'CANCELED',
}

/** Another one that is still live gives way to it: the provider bills only this one now. */
async function begin(
  em: ScopedEntityManager,
  told: StripeSubscription,
  plan: Plan,
  status: SubscriptionStatus,
  at: Date,
): Promise<Subscription> {
  for (const earlier of await em.find(Subscription, { status: { $ne: 'CANCELED' } })) earlier.become('CANCELED', at)
  await em.flush()
  return em.create(Subscription, {
    plan,
    status,
    canceledAt: status === 'CANCELED' ? at : null,
    stripeSubscriptionId: told.id,
    stripeCustomerId: told.customer ?? null,
    ...periodIn(told),
  })
}

const instant = (seconds: number | null | undefined) => (seconds ? new Date(seconds * 1_000) : null)

function periodIn(told: StripeSubscription) {
  return {
    currentPeriodStart: instant(told.current_period_start)!,
    currentPeriodEnd: instant(told.current_period_end)!,
    cancelAt: instant(told.cancel_at),
    trialEndsAt: instant(told.trial_end),
    stripePriceId: told.items?.data[0]?.price?.id ?? null,
  }
}

/** The organization has what it pays for; without a subscription it is back at what costs nothing. */
async function bringPlan(em: ScopedEntityManager, subscription: Subscription, plan: Plan): Promise<void> {
  const organization = await em.findOneOrFail(Organization, subscription.tenantId)
  organization.plan = subscription.isLive() ? plan.key : 'FREE'
  organization.quotaResetAt = subscription.isLive() ? subscription.currentPeriodEnd : null
}
