/**
 * Work: what is to be done, by whom, and where it stands. Requests come in and are routed to a pipeline, where each becomes a task; a task
 * moves from stage to stage along transitions that its class allows; what somebody else has to agree to waits as an approval, which is a
 * decision in the log. Templates say what a kind of task asks for, revision by revision.
 */
export { ApprovalItem, ApprovalItemSchema, type ApprovalStatus, approvalStatuses } from './approval-item.entity.ts'
export { type ApprovalInput, approve, expireApprovals, rejectApproval, requestApproval, type Verdict } from './approvals.ts'
export { assignTask } from './assign-task.ts'
export { builtinPipelines, builtinTemplates, ensureBuiltinWork } from './builtin-work.ts'
export { completeTask, moveTask } from './complete-task.ts'
export { createPipeline, type PipelineInput } from './create-pipeline.ts'
export { createTaskFromTemplate, type FromTemplate, previewTemplate, type TaskPreview } from './create-task.ts'
export { IntakeRequest, IntakeRequestSchema, type IntakeStatus, intakeStatuses, intakeTransitions } from './intake-request.entity.ts'
export { migratePipelineItems } from './migrate-pipeline-items.ts'
export {
  Pipeline,
  PipelineSchema,
  PipelineStage,
  PipelineStageSchema,
  type PipelineType,
  pipelineTypes,
  type Routing,
  type StageOutcome,
  stageOutcomes,
} from './pipeline.entity.ts'
export { PipelineItem, PipelineItemSchema } from './pipeline-item.entity.ts'
export { type IntakeInput, receiveRequest } from './receive-request.ts'
export { routeIntake } from './route-intake.ts'
export { TaskTemplate, TaskTemplateSchema } from './task-template.entity.ts'
export {
  type TaskKind,
  taskKinds,
  type TaskPriority,
  taskPriorities,
  type TaskSource,
  taskSources,
  type TaskStatus,
  taskStatuses,
} from './task-words.ts'
export { Task, TaskSchema, taskTransitions } from './task.entity.ts'
export { TemplateDefinition } from './template-definition.ts'
export { createTemplate, reviseTemplate, type TemplateInput } from './templates.ts'
export { type StageVisit, timesInStages } from './times-in-stages.ts'
export {
  ApprovalPendingError,
  ApprovalStateError,
  AssigneeError,
  NowhereToRouteError,
  PipelineInvalidError,
  StageElsewhereError,
  TaskClosedError,
  TemplateDataError,
  TemplateInvalidError,
  TemplateRetiredError,
} from './work.errors.ts'
