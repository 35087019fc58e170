import { type EntitySchema, type Opt, p, type Ref, wrap } from '@mikro-orm/core'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { Pipeline } from './pipeline.entity.ts'
import { type TaskSource, taskSources } from './task-words.ts'
import { Task } from './task.entity.ts'

export const intakeStatuses = ['NEW', 'ROUTING', 'ASSIGNED', 'PROCESSING', 'COMPLETED', 'REJECTED'] as const
export type IntakeStatus = (typeof intakeStatuses)[number]

export const intakeTransitions: Transitions<IntakeStatus> = {
  NEW: ['ROUTING', 'REJECTED'],
  ROUTING: ['ASSIGNED', 'REJECTED'],
  ASSIGNED: ['PROCESSING', 'COMPLETED', 'REJECTED'],
  PROCESSING: ['COMPLETED', 'REJECTED'],
  COMPLETED: [],
  REJECTED: [],
}

/** Somebody asks for something. Routing finds the pipeline that takes it, where it becomes a task. */
export class IntakeRequest extends TenantRow {
  declare source: TaskSource
  declare subject: string
  declare body?: string | null
  declare requesterEmail?: string | null
  declare status: Opt<IntakeStatus>
  declare pipeline?: Ref<Pipeline> | null
  declare task?: Ref<Task> | null
  declare receivedAt: Date
  declare version: Opt<number>

  isOpen(): boolean {
    return intakeTransitions[this.status as IntakeStatus].length > 0
  }

  startRouting(): void {
    this.become('ROUTING')
  }

  assign(task: Task): void {
    this.become('ASSIGNED')
    this.task = wrap(task).toReference()
    this.pipeline = task.pipeline ?? null
  }

  startProcessing(): void {
    this.become('PROCESSING')
  }

  complete(): void {
    this.become('COMPLETED')
  }

  reject(): void {
    this.become('REJECTED')
  }

  private become(status: IntakeStatus): void {
    this.status = nextState('An intake request', intakeTransitions, this.status, status)
  }
}

export const IntakeRequestSchema: EntitySchema<IntakeRequest> = tenantEntity({
  class: IntakeRequest,
  properties: {
    source: p.enum(taskSources),
    subject: p.text(),
    body: p.text().nullable(),
    requesterEmail: p.text().nullable(),
    status: p.enum(intakeStatuses).default('NEW'),
    pipeline: () => p.manyToOne(Pipeline).ref().nullable(),
    task: () => p.manyToOne(Task).ref().nullable(),
    receivedAt: moment(),
    version: p.integer().version(),
  },
  uniques: [{ name: 'intake_request_one_task', properties: ['task'], where: 'task_id is not null' }],
  indexes: [{ properties: ['status', 'receivedAt'] }],
  checks: [{ name: 'intake_request_email_lower_case', expression: 'requester_email = lower(requester_email)' }],
  audit: { personal: ['body', 'requesterEmail'] },
})
