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

export class SignatureRefusedError extends DaybookError {
  readonly code = 'billing.signature_refused'

  constructor(because: string) {
    super(`The event isn't believed: ${because}. Check the signing secret and the sender's clock.`)
  }
}
