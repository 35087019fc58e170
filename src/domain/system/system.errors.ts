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

export class TopicInvalidError extends DaybookError {
  readonly code = 'outbox.topic_invalid'

  constructor(topic: string) {
    super(`No topic can be called ${JSON.stringify(topic)}. Take letters, digits, dots, underscores and hyphens, at most 249 of them.`, {
      topic,
    })
  }
}

export class TopicUnfollowedError extends DaybookError {
  readonly code = 'outbox.topic_unfollowed'

  constructor(topic: string, entity: string) {
    super(`Topic ${topic} can't follow ${entity}: the log records nothing of it. Name an entity that is audited.`, { topic, entity })
  }
}

export class PayloadRefusedError extends DaybookError {
  readonly code = 'outbox.payload_refused'

  constructor(entity: string) {
    super(`A message can't hold a whole ${entity}: it would take along what only the table may know. Give the fields that are meant.`, {
      entity,
    })
  }
}
