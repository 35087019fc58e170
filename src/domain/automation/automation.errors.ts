import { DaybookError } from '../../kernel/error.ts'

export class AutomationInvalidError extends DaybookError {
  readonly code = 'automation.invalid'

  constructor(problems: readonly string[]) {
    super(`The automation can't be made: ${problems.join('; ')}.`, { problems })
  }
}

export class AutomationInactiveError extends DaybookError {
  readonly code = 'automation.inactive'

  constructor(automation: string) {
    super(`Automation ${automation} is not active, so nothing starts it. Activate it first.`, { automation })
  }
}

export class WebhookRefusedError extends DaybookError {
  readonly code = 'automation.webhook_refused'

  constructor(because: string) {
    super(`The call isn't believed: ${because}. Check the signing secret and the sender's clock.`)
  }
}

export class ActionUnknownError extends DaybookError {
  readonly code = 'automation.action_unknown'

  constructor(action: string) {
    super(`There is no action ${action} here. Register one under this name.`, { action })
  }
}

export class AnswerRefusedError extends DaybookError {
  readonly code = 'automation.answer_refused'

  constructor(status: number) {
    super(`The workflow answered ${status}.`, { status })
  }
}
