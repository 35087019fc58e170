import { BillingEvent, QuotaCounter, Subscription, UsageEvent } from '../../../domain/billing/index.ts'
import { resource } from '../resource.ts'

export const billing = [
  resource(Subscription),
  resource(UsageEvent, { reserved: { metadata: 'manage' } }),
  resource(QuotaCounter),
  resource(BillingEvent, { reserved: { payload: 'manage' } }),
]
