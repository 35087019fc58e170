import { type EntitySchema, type Opt, p, type Ref, wrap } from '@mikro-orm/core'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, pointerTo, tenantEntity, TenantRow } from '../../orm/index.ts'
import { User } from '../identity/index.ts'
import { Pipeline, PipelineStage } from './pipeline.entity.ts'
import { TaskTemplate } from './task-template.entity.ts'
import {
  type TaskKind,
  taskKinds,
  type TaskPriority,
  taskPriorities,
  type TaskSource,
  taskSources,
  type TaskStatus,
  taskStatuses,
} from './task-words.ts'
import { StageElsewhereError, TaskClosedError } from './work.errors.ts'

/** What a task may become. */
export const taskTransitions: Transitions<TaskStatus> = {
  NEW: ['IN_PROGRESS', 'BLOCKED', 'DONE', 'CANCELLED'],
  IN_PROGRESS: ['NEW', 'NEEDS_REVIEW', 'BLOCKED', 'DONE', 'CANCELLED'],
  NEEDS_REVIEW: ['IN_PROGRESS', 'DONE', 'CANCELLED'],
  BLOCKED: ['NEW', 'IN_PROGRESS', 'CANCELLED'],
  DONE: ['IN_PROGRESS'],
  CANCELLED: ['NEW'],
}

/** A piece of work that a person or an agent does. It may stand in one stage of one pipeline. */
export class Task extends TenantRow {
  declare template?: Ref<TaskTemplate> | null
  declare kind: Opt<TaskKind>
  declare source?: TaskSource | null
  declare status: Opt<TaskStatus>
  declare priority: Opt<TaskPriority>
  declare title: string
  declare description?: string | null
  declare pipeline?: Ref<Pipeline> | null
  declare stage?: Ref<PipelineStage> | null
  declare stageEnteredAt?: Date | null
  declare assignee?: Ref<User> | null
  /** Sales stands below work, so this is the plain id. */
  declare prospectId?: string | null
  declare dueAt?: Date | null
  declare completedAt?: Date | null
  declare data: Opt<Record<string, unknown>>
  declare version: Opt<number>

  isClosed(): boolean {
    return this.status === 'DONE' || this.status === 'CANCELLED'
  }

  start(): void {
    this.become('IN_PROGRESS')
  }

  putBack(): void {
    this.become('NEW')
  }

  block(): void {
    this.become('BLOCKED')
  }

  requestReview(): void {
    this.become('NEEDS_REVIEW')
  }

  complete(at: Date): void {
    this.become('DONE')
    this.completedAt = at
  }

  cancel(): void {
    this.become('CANCELLED')
  }

  /** Work on something done goes on; something cancelled begins again. */
  reopen(): void {
    this.become(this.status === 'DONE' ? 'IN_PROGRESS' : 'NEW')
    this.completedAt = null
  }

  /**
   * Time in a stage is measured and in some plans billed, so entering the stage in which it stands already changes nothing. A terminal stage
   * ends the task as it says; `moveTask` looks first whether it may end.
   */
  enter(stage: PipelineStage, at: Date): void {
    if (this.stage?.id === stage.id) return
    if (this.isClosed()) throw new TaskClosedError(this.status)
    if (this.pipeline && this.pipeline.id !== stage.pipeline.id) throw new StageElsewhereError(stage.key)
    // First, because it may be refused, and then the task stands where it stood.
    if (stage.outcome === 'LOST') this.cancel()
    else if (stage.isTerminal) this.complete(at)
    this.pipeline ??= stage.pipeline
    this.stage = wrap(stage).toReference()
    this.stageEnteredAt = at
  }

  private become(status: TaskStatus): void {
    this.status = nextState('A task', taskTransitions, this.status, status)
  }
}

export const TaskSchema: EntitySchema<Task> = tenantEntity({
  class: Task,
  properties: {
    template: () => p.manyToOne(TaskTemplate).ref().nullable().deleteRule('restrict'),
    kind: p.enum(taskKinds).default('TASK'),
    source: p.enum(taskSources).nullable(),
    status: p.enum(taskStatuses).default('NEW'),
    priority: p.enum(taskPriorities).default('MEDIUM'),
    title: p.text(),
    description: p.text().nullable(),
    pipeline: () => p.manyToOne(Pipeline).ref().nullable().deleteRule('restrict'),
    stage: () => p.manyToOne(PipelineStage).ref().nullable().deleteRule('restrict'),
    stageEnteredAt: moment().nullable(),
    assignee: () => p.manyToOne(User).ref().nullable(),
    prospectId: () => pointerTo('Prospect').fieldName('prospect_id').nullable().deleteRule('set null'),
    dueAt: moment().nullable(),
    completedAt: moment().nullable(),
    data: p
      .json<Record<string, unknown>>()
      .onCreate(() => ({}))
      .defaultRaw(`'{}'`),
    version: p.integer().version(),
  },
  indexes: [{ properties: ['status', 'dueAt'] }, { properties: ['assignee', 'status'] }, { properties: ['stage', 'stageEnteredAt'] }],
  checks: [
    { name: 'task_completed_when_done', expression: `(status = 'DONE') = (completed_at is not null)` },
    { name: 'task_stage_in_pipeline', expression: 'stage_id is null or pipeline_id is not null' },
    { name: 'task_stage_entered', expression: '(stage_id is null) = (stage_entered_at is null)' },
  ],
})
