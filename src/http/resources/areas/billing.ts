import { Type } from 'typebox'
import {
  BillingEvent,
  Plan,
  QuotaCounter,
  quotas,
  Subscription,
  UsageDay,
  UsageEvent,
  usageMetrics,
  useQuota,
} from '../../../domain/billing/index.ts'
import { exactly, nameField, nullable, oneOf } from '../../fields.ts'
import { asked, resource, sent } from '../resource.ts'

const quota = exactly({ used: Type.Integer(), limit: nullable(Type.Integer()), resetAt: Type.String({ format: 'date-time' }) })
const useBody = exactly({
  metric: oneOf([...usageMetrics]),
  quantity: Type.Optional(Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 })),
  requestId: Type.String({ minLength: 1, maxLength: 200 }),
  route: Type.Optional(nameField()),
  durationMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 })),
  status: Type.Optional(Type.Integer({ minimum: 100, maximum: 599 })),
})
const plan = exactly({ key: Type.String(), name: Type.String(), limits: Type.Unknown(), prices: Type.Unknown() })

export const billing = [
  resource(Subscription, {
    together: {
      plans: asked(exactly({}), exactly({ items: Type.Array(plan) }), async ({ em }) => ({
        items: (await em.find(Plan, {}, { orderBy: { id: 'asc' } })).map(({ key, name, limits, prices }) => ({
          key,
          name,
          limits,
          prices,
        })),
      })),
    },
  }),
  resource(UsageEvent, {
    reserved: { metadata: 'manage' },
    together: {
      use: sent('create', useBody, quota, async ({ em }, use) => {
        const { used, limit = null, resetAt } = await useQuota(em, use)
        return { used, limit, resetAt: resetAt.toISOString() }
      }),
    },
  }),
  resource(UsageDay),
  resource(QuotaCounter, {
    together: {
      current: asked(
        exactly({}),
        exactly({ items: Type.Array(exactly({ metric: oneOf([...usageMetrics]), ...quota.properties })) }),
        async ({ em }) => ({
          items: (await quotas(em)).map(({ metric, used, limit = null, resetAt }) => ({
            metric,
            used,
            limit,
            resetAt: resetAt.toISOString(),
          })),
        }),
      ),
    },
  }),
  resource(BillingEvent, { reserved: { payload: 'manage' } }),
]
