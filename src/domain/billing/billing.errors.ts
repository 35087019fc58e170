import { DaybookError } from '../../kernel/error.ts'

export class QuotaExceededError extends DaybookError {
  readonly code = 'billing.quota_exceeded'

  constructor(metric: string, limit: number, resetAt: Date) {
    super(`The quota of ${limit} ${metric} is used up until ${resetAt.toISOString()}. Wait until then, or take a larger plan.`, {
      metric,
      limit,
      resetAt: resetAt.toISOString(),
    })
  }
}

export class QuantityRefusedError extends DaybookError {
  readonly code = 'billing.quantity_refused'

  constructor(metric: string, quantity: number) {
    super(`A use of ${metric} can't be counted ${quantity} times. Give a whole number of at least 1.`, {
      metric,
      quantity: String(quantity),
    })
  }
}

export class OrganizationUnknownError extends DaybookError {
  readonly code = 'billing.organization_unknown'

  constructor() {
    super("The event names no organization that is kept here. Put its id into the subscription's metadata, as `organization`.")
  }
}

export class SignatureRefusedError extends DaybookError {
  readonly code = 'billing.signature_refused'

  constructor(because: string) {
    super(`The event isn't believed: ${because}. Check the signing secret and the sender's clock.`)
  }
}
