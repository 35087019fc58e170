import { DaybookError } from '../../kernel/error.ts'

export class StageElsewhereError extends DaybookError {
  readonly code = 'work.stage_elsewhere'

  constructor(stage: string) {
    super(`Stage ${stage} belongs to another pipeline than the task. Move the task to that pipeline first.`, { stage })
  }
}

export class TaskClosedError extends DaybookError {
  readonly code = 'work.task_closed'

  constructor(status: string) {
    super(`The task is ${status}, so it stays where it is. Reopen it first.`, { status })
  }
}

export class PipelineInvalidError extends DaybookError {
  readonly code = 'work.pipeline_invalid'

  constructor(problems: readonly string[]) {
    super(`The pipeline can't be made: ${problems.join('; ')}.`, { problems })
  }
}

export class TemplateInvalidError extends DaybookError {
  readonly code = 'work.template_invalid'

  constructor(problems: readonly string[]) {
    super(`The template's definition has ${problems.length} problem${problems.length > 1 ? 's' : ''}: ${problems.join('; ')}.`, {
      problems,
    })
  }
}

export class TemplateDataError extends DaybookError {
  readonly code = 'work.template_data'

  constructor(template: string, problems: readonly string[]) {
    super(`Template ${template} can't be filled in with this: ${problems.join('; ')}.`, { template, problems })
  }
}

export class TemplateRetiredError extends DaybookError {
  readonly code = 'work.template_retired'

  constructor(template: string, revision: number) {
    super(`Revision ${revision} of template ${template} is retired. Use the one that is active.`, { template, revision })
  }
}

export class NowhereToRouteError extends DaybookError {
  readonly code = 'work.nowhere_to_route'

  constructor() {
    super('No active pipeline takes this request. Give a pipeline routing rules, or make an active one of type GENERIC.')
  }
}

export class AssigneeError extends DaybookError {
  readonly code = 'work.assignee_unknown'

  constructor(user: string) {
    super(`User ${user} is no active member of the organization, so no work can be given to them.`, { user })
  }
}

export class ApprovalStateError extends DaybookError {
  readonly code = 'work.approval_state'

  constructor(from: string, to: string) {
    super(`The approval is ${from} already and can't become ${to}.`, { from, to })
  }
}

export class ApprovalPendingError extends DaybookError {
  readonly code = 'work.approval_pending'

  constructor(waiting: number) {
    super(`${waiting} approval${waiting > 1 ? 's' : ''} of this task must be settled before it can be completed.`, { waiting })
  }
}
