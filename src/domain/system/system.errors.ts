import { DaybookError } from '../../kernel/error.ts'

export class SettingInvalidError extends DaybookError {
  readonly code = 'system.setting_invalid'

  constructor(key: string, problems: readonly string[]) {
    super(`Setting ${key} can't have this value: ${problems.join('; ')}.`, { key, problems })
  }
}

export class IdempotencyInFlightError extends DaybookError {
  readonly code = 'idempotency.in_flight'

  constructor() {
    super('A request with this key is being answered at this moment. Ask again when it has been.')
  }
}

export class IdempotencyMismatchError extends DaybookError {
  readonly code = 'idempotency.mismatch'

  constructor() {
    super('This key was used for another request. Use a new key for each request that is not a repetition.')
  }
}

export class EventPatternError extends DaybookError {
  readonly code = 'webhook.event_pattern'

  constructor(patterns: readonly string[]) {
    super(`Nothing is named like ${patterns.join(', ')}. Write task.created, task.* or *.`, { patterns })
  }
}
