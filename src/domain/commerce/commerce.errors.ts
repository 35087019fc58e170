import { DaybookError } from '../../kernel/error.ts'

export class OrderInvalidError extends DaybookError {
  readonly code = 'commerce.order_invalid'

  constructor(problems: readonly string[]) {
    super(`The order can't be placed: ${problems.join('; ')}.`, { problems })
  }
}

export class ItemUnavailableError extends DaybookError {
  readonly code = 'commerce.item_unavailable'

  constructor(items: readonly string[]) {
    super(`These items can't be ordered now: ${items.join(', ')}. Take those that are AVAILABLE.`, { items })
  }
}

export class SubscriptionTokenError extends DaybookError {
  readonly code = 'commerce.subscription_token'

  constructor() {
    super('This link is unknown, used or too old. Subscribe again to get a new one.')
  }
}

export class IssueNotReadyError extends DaybookError {
  readonly code = 'commerce.issue_not_ready'

  constructor(problems: readonly string[]) {
    super(`The newsletter can't be scheduled: ${problems.join('; ')}.`, { problems })
  }
}

export class IssueNotDueError extends DaybookError {
  readonly code = 'commerce.issue_not_due'

  constructor(scheduledAt: Date) {
    super(`The newsletter goes out at ${scheduledAt.toISOString()}. Wait, or schedule it anew.`, { scheduledAt: scheduledAt.toISOString() })
  }
}

const reasons = {
  blocked: 'is blocked',
  past: 'has begun already',
  full: 'has no seat left',
  same: 'is the one that is booked already',
} as const

export class SlotUnavailableError extends DaybookError {
  readonly code = 'commerce.slot_unavailable'

  constructor(slot: string, reason: keyof typeof reasons) {
    super(`Slot ${slot} ${reasons[reason]}. Choose another one.`, { slot, reason })
  }
}

export class SlotInUseError extends DaybookError {
  readonly code = 'commerce.slot_in_use'

  constructor(slot: string, booked: number) {
    super(`Slot ${slot} has ${booked} booking${booked > 1 ? 's' : ''}. Cancel or reschedule before it is blocked.`, { slot, booked })
  }
}
