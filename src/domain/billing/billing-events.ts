import { LockMode, wrap } from '@mikro-orm/core'
import { now } from '../../kernel/clock.ts'
import { isId } from '../../kernel/id.ts'
import { inTurn, lockedAfresh, type ScopedEntityManager } from '../../orm/index.ts'
import { Organization, type PlanType } from '../organizations/index.ts'
import { BillingEvent } from './billing-event.entity.ts'
import { Plan } from './plan.entity.ts'
import { periodOf } from './quota-period.ts'
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
  /** When it was begun, in seconds; the event has another of the same name. */
  readonly created?: number
  readonly customer?: string
  readonly status: string
  readonly current_period_start?: number
  readonly current_period_end?: number
  readonly cancel_at?: number | null
  readonly trial_end?: number | null
  readonly metadata?: SubscriptionMetadata
  readonly items?: { readonly data: readonly StripeItem[] }
}

/** What we write at a subscription when it is begun, and Stripe signs with everything that it tells of it. */
interface SubscriptionMetadata {
  readonly plan?: string
  /** The id of the organization that pays. */
  readonly organization?: string
}

/** Since 2025 Stripe keeps the period with what is paid for. */
interface StripeItem {
  readonly price?: { readonly id?: string }
  readonly current_period_start?: number
  readonly current_period_end?: number
}

/** Whose event it is, as far as it says. */
export function organizationIn({ data }: StripeEvent): string | undefined {
  const { organization } = data.object.metadata ?? {}
  return isId(organization) ? organization.toLowerCase() : undefined
}

/**
 * Takes an event in and does what it says, once: the provider sends each at least once, and not always in order, so one that is older than
 * what the subscription knows is set aside. What can't be done is kept with its reason, for somebody to look at.
 */
export async function receiveStripeEvent(em: ScopedEntityManager, event: StripeEvent, at: Date = now()): Promise<BillingEvent> {
  return inTurn(em, async inner => {
    // An organization's events take turns: the first two of a subscription often come at once, and so does one that is sent twice.
    const turn = inner.boundScope?.kind === 'tenant' ? inner.boundScope.tenantId : event.id
    await inner.execute(`select pg_advisory_xact_lock(hashtextextended('daybook:stripe:' || ?, 0))`, [turn])
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
  const status = event.type === 'customer.subscription.deleted' ? 'CANCELED' : ours.get(told.status)
  const plan = await planNamed(em, told.metadata?.plan ?? '')
  const period = periodIn(told)
  if (told.status === 'incomplete') return received.settle('IGNORED', at, 'It has not begun yet.')
  if (!status) return received.settle('FAILED', at, `Unknown status ${told.status}.`)
  if (!plan) return received.settle('FAILED', at, `There is no plan ${told.metadata?.plan ?? '(none named)'}.`)
  if (!period) return received.settle('FAILED', at, 'It says nothing of the period that is paid for.')
  const toldAt = new Date(event.created * 1_000)
  const known = await em.findOne(Subscription, { stripeSubscriptionId: told.id }, { lockMode: LockMode.PESSIMISTIC_WRITE })
  if (known?.toldAt && known.toldAt > toldAt) return received.settle('IGNORED', at, 'A later event came before it.')
  if (known && known.status !== status && !subscriptionTransitions[known.status as SubscriptionStatus].includes(status))
    return received.settle('FAILED', at, `A subscription that is ${known.status} can't become ${status}.`)
  const details = { ...period, ...detailsIn(told), toldAt }
  const wasLive = known?.isLive() ?? false
  const subscription = known ?? (await begin(em, told, { ...details, plan, status }, at))
  received.subscription = wrap(subscription).toReference()
  if (!known && subscription.status !== status) return received.settle('IGNORED', at, 'A newer subscription has its place.')
  subscription.become(status, at)
  Object.assign(subscription, { plan: wrap(plan).toReference(), ...details })
  received.settle('PROCESSED', at)
  // What was over and stays so is nothing to the one that is paid for meanwhile.
  if (wasLive || subscription.isLive()) await bringPlan(em, subscription, plan, at)
}

/**
 * What Stripe calls a subscription's state, in our words. One that never began is not one. Of `unpaid` Stripe says that access ends, for it has
 * tried everything while it was `past_due`; `paused` is a trial that ended before anybody said how to pay.
 */
const ours: ReadonlyMap<string, SubscriptionStatus> = new Map([
  ['trialing', 'TRIALING'],
  ['active', 'ACTIVE'],
  ['past_due', 'PAST_DUE'],
  ['unpaid', 'UNPAID'],
  ['paused', 'UNPAID'],
  ['canceled', 'CANCELED'],
  ['incomplete_expired', 'CANCELED'],
])

const alsoCalled: ReadonlyMap<string, PlanType> = new Map([['PRO', 'PROFESSIONAL']])

function planNamed(em: ScopedEntityManager, name: string): Promise<Plan | null> {
  return em.findOne(Plan, { key: alsoCalled.get(name) ?? (name as PlanType) })
}

type Beginning = { readonly plan: Plan; readonly status: SubscriptionStatus; readonly toldAt: Date } & Period & ReturnType<typeof detailsIn>

/**
 * Of two that are live the provider bills the newer one, and the older gives way, whichever of them is heard of first. One that is over when
 * it is first heard of, like a checkout that somebody left, takes nobody's place.
 */
async function begin(em: ScopedEntityManager, told: StripeSubscription, beginning: Beginning, at: Date): Promise<Subscription> {
  const begunAt = beginning.begunAt ?? beginning.toldAt
  const others = beginning.status === 'CANCELED' ? [] : await em.find(Subscription, { status: { $ne: 'CANCELED' } })
  const isOver = beginning.status === 'CANCELED' || others.some(other => other.begunAt && other.begunAt > begunAt)
  if (!isOver) for (const earlier of others) earlier.become('CANCELED', at)
  await em.flush()
  return em.create(Subscription, {
    ...beginning,
    begunAt,
    ...(isOver && { status: 'CANCELED', canceledAt: at }),
    stripeSubscriptionId: told.id,
    stripeCustomerId: told.customer ?? null,
  })
}

const instant = (seconds: number | null | undefined) => (seconds ? new Date(seconds * 1_000) : null)

type Period = Pick<Subscription, 'currentPeriodStart' | 'currentPeriodEnd'>

function periodIn({ items, ...told }: StripeSubscription): Period | undefined {
  const [item] = items?.data ?? []
  const currentPeriodStart = instant(told.current_period_start ?? item?.current_period_start)
  const currentPeriodEnd = instant(told.current_period_end ?? item?.current_period_end)
  return currentPeriodStart && currentPeriodEnd ? { currentPeriodStart, currentPeriodEnd } : undefined
}

function detailsIn(told: StripeSubscription) {
  return {
    cancelAt: instant(told.cancel_at),
    trialEndsAt: instant(told.trial_end),
    stripePriceId: told.items?.data[0]?.price?.id ?? null,
    ...(told.created && { begunAt: new Date(told.created * 1_000) }),
  }
}

/** The organization has what it pays for; otherwise it is back at what costs nothing. Read anew, for it was read before its turn. */
async function bringPlan(em: ScopedEntityManager, subscription: Subscription, plan: Plan, at: Date): Promise<void> {
  const organization = await lockedAfresh(em, Organization, subscription.tenantId)
  organization.plan = subscription.gives() ? plan.key : 'FREE'
  organization.quotaResetAt = periodOf(subscription, at).resetAt
}
