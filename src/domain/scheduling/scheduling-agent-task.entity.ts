import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { tenantEntity, TenantRow } from '../../orm/index.ts'
import { type TaskSource, taskSources } from '../work/index.ts'
import { type Attendee, SchedulingEvent } from './scheduling-event.entity.ts'
import { SchedulingTaskInvalidError } from './scheduling.errors.ts'

export const schedulingTaskTypes = ['FIND_TIME', 'RESCHEDULE', 'CANCEL', 'SUMMARIZE'] as const
export type SchedulingTaskType = (typeof schedulingTaskTypes)[number]

export const schedulingTaskStatuses = ['QUEUED', 'RUNNING', 'PROPOSED', 'DONE', 'FAILED'] as const
export type SchedulingTaskStatus = (typeof schedulingTaskStatuses)[number]

export const schedulingTaskTransitions: Transitions<SchedulingTaskStatus> = {
  QUEUED: ['RUNNING', 'FAILED'],
  RUNNING: ['QUEUED', 'PROPOSED', 'DONE', 'FAILED'],
  PROPOSED: ['RUNNING', 'DONE', 'FAILED'],
  DONE: [],
  FAILED: ['QUEUED'],
}

/** What is asked for. A new event needs at least a title, its organizer's id and a time zone; the rest tells the agent more. */
export interface SchedulingRequest {
  readonly title?: string
  readonly organizer?: string
  readonly timeZone?: string
  readonly attendees?: readonly Attendee[]
  readonly location?: string
  readonly durationMinutes?: number
  /** In the words of whoever asked. */
  readonly text?: string
}

/** A time that an agent proposes, in ISO 8601. */
export interface Proposal {
  readonly startsAt: string
  readonly endsAt: string
}

/** What an agent is asked to do with a calendar: it proposes, somebody accepts, and only then an event is made, moved or cancelled. */
export class SchedulingAgentTask extends TenantRow {
  declare source: TaskSource
  declare type: SchedulingTaskType
  declare status: Opt<SchedulingTaskStatus>
  declare request: Opt<SchedulingRequest>
  declare proposals: Opt<Proposal[]>
  /** The decision in the log that proposed them, and says why. */
  declare decisionId?: string | null
  /** The event that it is about, or that came of it. */
  declare event?: Ref<SchedulingEvent> | null
  declare version: Opt<number>

  start(): void {
    this.become('RUNNING')
  }

  /** Whoever worked on it is gone, or it is to be tried again. */
  queue(): void {
    this.become('QUEUED')
  }

  propose(proposals: Proposal[], decisionId: string): void {
    this.become('PROPOSED')
    this.proposals = proposals
    this.decisionId = decisionId
  }

  complete(): void {
    if (this.type === 'FIND_TIME' && !this.event) throw new SchedulingTaskInvalidError(['no time was found yet; accept a proposal'])
    this.become('DONE')
  }

  fail(): void {
    this.become('FAILED')
  }

  private become(status: SchedulingTaskStatus): void {
    this.status = nextState('A scheduling task', schedulingTaskTransitions, this.status, status)
  }
}

export const SchedulingAgentTaskSchema: EntitySchema<SchedulingAgentTask> = tenantEntity({
  class: SchedulingAgentTask,
  properties: {
    source: p.enum(taskSources),
    type: p.enum(schedulingTaskTypes),
    status: p.enum(schedulingTaskStatuses).default('QUEUED'),
    request: p
      .json<SchedulingRequest>()
      .onCreate(() => ({}))
      .defaultRaw(`'{}'`),
    proposals: p
      .json<Proposal[]>()
      .onCreate(() => [])
      .defaultRaw(`'[]'`),
    decisionId: p.uuid().nullable(),
    event: () => p.manyToOne(SchedulingEvent).ref().nullable().deleteRule('restrict'),
    version: p.integer().version(),
  },
  // Whom it is to invite.
  audit: { personal: ['request'] },
  indexes: [{ properties: ['status', 'createdAt'] }],
  checks: [
    { name: 'scheduling_agent_task_event', expression: `type = 'FIND_TIME' or event_id is not null` },
    { name: 'scheduling_agent_task_found', expression: `type <> 'FIND_TIME' or (status = 'DONE') = (event_id is not null)` },
    { name: 'scheduling_agent_task_proposed', expression: `status <> 'PROPOSED' or decision_id is not null` },
    { name: 'scheduling_agent_task_proposals_list', expression: `jsonb_typeof(proposals) = 'array'` },
  ],
  immutable: ['source', 'type'],
})
