import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { Plan } from './plan.entity.ts'

/** `PAST_DUE`: the provider still tries to collect what is owed. `UNPAID`: it has given up, or nobody has said how to pay after a trial. */
export const subscriptionStatuses = ['TRIALING', 'ACTIVE', 'PAST_DUE', 'UNPAID', 'CANCELED'] as const
export type SubscriptionStatus = (typeof subscriptionStatuses)[number]

/** What a subscription may become. One that is cancelled is over; whoever comes back begins another. A trial can be given at any time. */
export const subscriptionTransitions: Transitions<SubscriptionStatus> = {
  TRIALING: ['ACTIVE', 'PAST_DUE', 'UNPAID', 'CANCELED'],
  ACTIVE: ['TRIALING', 'PAST_DUE', 'UNPAID', 'CANCELED'],
  PAST_DUE: ['TRIALING', 'ACTIVE', 'UNPAID', 'CANCELED'],
  UNPAID: ['TRIALING', 'ACTIVE', 'PAST_DUE', 'CANCELED'],
  CANCELED: [],
}

/** What an organization pays for, as the payment provider tells it. One at a time is not cancelled. */
export class Subscription extends TenantRow {
  declare plan: Ref<Plan>
  declare status: Opt<SubscriptionStatus>
  declare stripeCustomerId?: string | null
  declare stripeSubscriptionId?: string | null
  declare stripePriceId?: string | null
  declare currentPeriodStart: Date
  declare currentPeriodEnd: Date
  declare cancelAt?: Date | null
  declare canceledAt?: Date | null
  declare trialEndsAt?: Date | null
  /** When the provider said what stands here; what it said earlier and comes late is not believed any more. */
  declare toldAt?: Date | null
  /** When it was begun at the provider, by which one knows which of two is the newer. */
  declare begunAt?: Date | null
  declare version: Opt<number>

  isLive(): boolean {
    return this.status !== 'CANCELED'
  }

  /** Whether the organization has what it subscribed to. While it is past due it has, for the money may still come. */
  gives(): boolean {
    return this.isLive() && this.status !== 'UNPAID'
  }

  become(status: SubscriptionStatus, at: Date): void {
    if (status === this.status) return
    this.status = nextState('A subscription', subscriptionTransitions, this.status, status)
    if (status === 'CANCELED') this.canceledAt = at
  }

  /** It runs on until then, and is cancelled by the provider. */
  cancelAtPeriodEnd(): void {
    nextState('A subscription', subscriptionTransitions, this.status, 'CANCELED')
    this.cancelAt = this.currentPeriodEnd
  }

  /**
   * The period that is paid for at a moment. The provider tells of the next one some time after it has begun; until then it begins where the
   * last one ended and is as long, so that what is used meanwhile is counted to it.
   */
  periodAt(at: Date): { readonly start: Date; readonly end: Date } | undefined {
    const [start, end] = [this.currentPeriodStart.getTime(), this.currentPeriodEnd.getTime()]
    if (!this.gives() || at.getTime() < start) return undefined
    const passedMs = Math.floor((at.getTime() - start) / (end - start)) * (end - start)
    return { start: new Date(start + passedMs), end: new Date(end + passedMs) }
  }
}

export const SubscriptionSchema: EntitySchema<Subscription> = tenantEntity({
  class: Subscription,
  properties: {
    plan: () => p.manyToOne(Plan).ref(),
    status: p.enum(subscriptionStatuses).default('ACTIVE'),
    stripeCustomerId: p.text().nullable(),
    stripeSubscriptionId: p.text().nullable(),
    stripePriceId: p.text().nullable(),
    currentPeriodStart: moment(),
    currentPeriodEnd: moment(),
    cancelAt: moment().nullable(),
    canceledAt: moment().nullable(),
    trialEndsAt: moment().nullable(),
    toldAt: moment().nullable(),
    begunAt: moment().nullable(),
    version: p.integer().version(),
  },
  uniques: [{ properties: ['stripeSubscriptionId'] }, { name: 'subscription_one_live', properties: [], where: `status <> 'CANCELED'` }],
  checks: [
    { name: 'subscription_period', expression: 'current_period_start < current_period_end' },
    { name: 'subscription_canceled', expression: `(status = 'CANCELED') = (canceled_at is not null)` },
  ],
})
