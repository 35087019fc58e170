import { ApiKey, issueApiKey, type PlanType, receiveStripeEvent, Subscription, UsageEvent, type Use, useQuota } from '../../src/entities.ts'
import { demoArea } from './demo-area.ts'

interface BillingData {
  readonly subscription: string
  readonly customer: string
  readonly plan: PlanType
  readonly uses: readonly (Use & { readonly quantity: number })[]
  readonly apiKey?: { readonly name: string; readonly environment: 'TEST'; readonly scopes: readonly string[] }
}

const data: Readonly<Record<string, BillingData>> = {
  'demo-org': {
    subscription: 'sub_demo_org',
    customer: 'cus_demo_org',
    plan: 'PROFESSIONAL',
    uses: [
      { metric: 'API_CALLS', quantity: 1, requestId: 'demo-request-1', route: '/projects/:id/errors', durationMs: 38, status: 201 },
      { metric: 'AUDITS', quantity: 1, requestId: 'demo-request-2', route: '/projects/:id/audits', durationMs: 18_400, status: 200 },
    ],
    apiKey: { name: 'Demo program', environment: 'TEST', scopes: ['project:read', 'error-signature:read', 'task:read', 'usage-day:read'] },
  },
  'enterprise-corp': {
    subscription: 'sub_enterprise_corp',
    customer: 'cus_enterprise_corp',
    plan: 'ENTERPRISE',
    uses: [
      { metric: 'ANALYSES', quantity: 1, requestId: 'demo-request-3', route: '/projects/:id/analyses', durationMs: 5_200, status: 200 },
    ],
  },
}

const secondsAt = (date: string) => Date.parse(date) / 1_000

/** A subscription as the payment provider tells it, what was used of its quota, and a key for a program. */
export const billing = demoArea('billing', data, async (work, { subscription, customer, plan, uses, apiKey }) => {
  await work.transact(async demo => {
    const { em } = demo
    const object = {
      id: subscription,
      customer,
      status: 'active',
      current_period_start: secondsAt('2026-01-01T00:00:00Z'),
      current_period_end: secondsAt('2027-01-01T00:00:00Z'),
      metadata: { plan },
    }
    const event = {
      id: `evt_${subscription}`,
      type: 'customer.subscription.created',
      created: secondsAt('2026-01-01T00:00:00Z'),
      data: { object },
    }
    const stripeSubscriptionId = subscription
    await demo.ensure(
      Subscription,
      { stripeSubscriptionId },
      async () => {
        await receiveStripeEvent(em, event)
        return em.findOneOrFail(Subscription, { stripeSubscriptionId })
      },
      { BillingEvent: 1 },
    )
    for (const use of uses) {
      const { metric, requestId } = use
      await demo.ensure(
        UsageEvent,
        { metric, requestId },
        async () => {
          await useQuota(em, use)
          return em.findOneOrFail(UsageEvent, { metric, requestId })
        },
        { QuotaCounter: 1 },
      )
    }
    if (!apiKey) return
    const { name, environment } = apiKey
    await demo.ensure(ApiKey, { name, environment }, async () => {
      const issued = await issueApiKey(em, apiKey)
      work.secrets.set(`API key ${name} (${environment.toLowerCase()})`, issued.secret)
      return issued.apiKey
    })
  })
})
