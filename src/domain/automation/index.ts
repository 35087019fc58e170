/**
 * Automation: what is done whenever something says so. A trigger is a time, an event in the log, a call from outside, or somebody; an
 * automation is a signed call to a workflow elsewhere (n8n, for instance) or an action of the application's; an execution is one run of it,
 * once for each thing that it is done for, tried again when it fails, and given up when it takes too long.
 */
export { Automation, AutomationSchema } from './automation.entity.ts'
export {
  AutomationDefinition,
  type AutomationTriggerKind,
  automationTriggerKinds,
  type EventConfig,
  type ScheduleConfig,
  type TriggerConfig,
} from './automation-definition.ts'
export {
  ActionUnknownError,
  AnswerRefusedError,
  AutomationInactiveError,
  AutomationInvalidError,
  WebhookRefusedError,
} from './automation.errors.ts'
export {
  addTrigger,
  type AutomationInput,
  createAutomation,
  type NewAutomation,
  rotateWebhookSecret,
  type TriggerInput,
} from './automations.ts'
export { type Action, type ActionInput, type Actions, runExecutions, type Runner } from './run-executions.ts'
export { fireEvents, fireSchedules, type IncomingCall, receiveCall, startAutomation, type StartInput } from './start-execution.ts'
export {
  type ExecutionStatus,
  executionStatuses,
  executionTransitions,
  WorkflowExecution,
  WorkflowExecutionSchema,
} from './workflow-execution.entity.ts'
export { WorkflowTrigger, WorkflowTriggerSchema } from './workflow-trigger.entity.ts'
