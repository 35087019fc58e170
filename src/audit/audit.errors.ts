import { DaybookError } from '../kernel/error.ts'

export class DecisionUnknownError extends DaybookError {
  readonly code = 'audit.decision_unknown'

  constructor(id: string) {
    super(`There is no decision ${id} in this log.`, { id })
  }
}

export class DecisionSettledError extends DaybookError {
  readonly code = 'audit.decision_settled'

  constructor(id: string, how: string) {
    super(`Decision ${id} doesn’t wait for approval (${how}). Override it with a decision of your own.`, { id, how })
  }
}

export class OwnDecisionError extends DaybookError {
  readonly code = 'audit.own_decision'

  constructor(id: string) {
    super(`Decision ${id} was proposed by the same actor. Somebody else has to approve or reject it.`, { id })
  }
}

export class SubjectUnknownError extends DaybookError {
  readonly code = 'audit.subject_unknown'

  constructor(entity: string) {
    super(`The log knows nothing of ${entity}, so no decision can be about one. Decide in a tenant’s scope, about an audited entity.`, {
      entity,
    })
  }
}
