import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { messageOf } from '../../kernel/error.ts'
import { storableJson, storableText } from '../../kernel/storable.ts'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { moment, tenantEntity, TenantRow } from '../../orm/index.ts'
import { Automation } from './automation.entity.ts'
import { WorkflowTrigger } from './workflow-trigger.entity.ts'

export const executionStatuses = ['QUEUED', 'RUNNING', 'SUCCESS', 'FAILED', 'TIMEOUT', 'CANCELLED'] as const
export type ExecutionStatus = (typeof executionStatuses)[number]

/** A run that fails is queued again until its attempts are used up; somebody may queue it once more after that. */
export const executionTransitions: Transitions<ExecutionStatus> = {
  QUEUED: ['RUNNING', 'CANCELLED'],
  RUNNING: ['SUCCESS', 'QUEUED', 'FAILED', 'TIMEOUT', 'CANCELLED'],
  FAILED: ['QUEUED'],
  TIMEOUT: ['QUEUED'],
  SUCCESS: [],
  CANCELLED: [],
}

const longestWaitMs = 24 * 60 * 60_000

/** One run of an automation, with what it was given, what came of it, and how often it was tried. */
export class WorkflowExecution extends TenantRow {
  declare automation: Ref<Automation>
  declare trigger?: Ref<WorkflowTrigger> | null
  /** What it is done for, so that it is done once: a schedule's moment, an event, a call's id. */
  declare key?: string | null
  declare status: Opt<ExecutionStatus>
  declare input: Opt<Record<string, unknown>>
  declare output?: unknown
  declare error?: string | null
  declare attempt: Opt<number>
  declare maxAttempts: number
  declare nextAttemptAt: Date
  /** A run that says nothing until then has died. */
  declare leaseUntil?: Date | null
  declare startedAt?: Date | null
  declare finishedAt?: Date | null
  declare durationMs?: number | null

  start(at: Date, leaseMs: number): void {
    this.become('RUNNING')
    this.attempt++
    this.startedAt = at
    this.leaseUntil = new Date(at.getTime() + leaseMs)
  }

  /** It was done, and so it isn't done again though what came of it can't be kept. */
  succeed(output: unknown, at: Date): void {
    this.become('SUCCESS')
    Object.assign(this, kept(output))
    this.finish(at)
  }

  /** Tried again, later each time but within a day, until the attempts are used up. */
  fail(status: 'FAILED' | 'TIMEOUT', error: string, at: Date): void {
    const tryAgain = this.attempt < this.maxAttempts
    this.become(tryAgain ? 'QUEUED' : status)
    this.error = storableText(error)
    this.finish(at)
    if (tryAgain) this.nextAttemptAt = new Date(at.getTime() + Math.min(30_000 * 4 ** (this.attempt - 1), longestWaitMs))
  }

  cancel(at: Date): void {
    this.become('CANCELLED')
    this.finish(at)
  }

  /** One attempt more for a run that has none left. */
  retry(at: Date): void {
    this.become('QUEUED')
    this.maxAttempts = this.attempt + 1
    this.nextAttemptAt = at
    this.finishedAt = null
  }

  private finish(at: Date): void {
    this.leaseUntil = null
    this.finishedAt = this.status === 'QUEUED' ? null : at
    this.durationMs = this.startedAt ? Math.max(0, at.getTime() - this.startedAt.getTime()) : null
  }

  private become(status: ExecutionStatus): void {
    this.status = nextState('An execution', executionTransitions, this.status, status)
  }
}

function kept(output: unknown): Pick<WorkflowExecution, 'output' | 'error'> {
  try {
    return { output: storableJson(output), error: null }
  } catch (error) {
    return { output: null, error: `It was done, but what came of it can't be kept as JSON: ${messageOf(error)}` }
  }
}

export const WorkflowExecutionSchema: EntitySchema<WorkflowExecution> = tenantEntity({
  class: WorkflowExecution,
  properties: {
    automation: () => p.manyToOne(Automation).ref().deleteRule('cascade'),
    trigger: () => p.manyToOne(WorkflowTrigger).ref().nullable(),
    key: p.text().nullable(),
    status: p.enum(executionStatuses).default('QUEUED'),
    input: p
      .json<Record<string, unknown>>()
      .onCreate(() => ({}))
      .defaultRaw(`'{}'`),
    output: p.json<unknown>().nullable(),
    error: p.text().nullable(),
    attempt: p.integer().default(0),
    maxAttempts: p.integer(),
    nextAttemptAt: moment(),
    leaseUntil: moment().nullable(),
    startedAt: moment().nullable(),
    finishedAt: moment().nullable(),
    durationMs: p.integer().nullable(),
  },
  uniques: [{ properties: ['automation', 'key'] }],
  indexes: [{ properties: ['status', 'nextAttemptAt'] }, { properties: ['status', 'leaseUntil'] }, { properties: ['finishedAt'] }],
  checks: [
    { name: 'workflow_execution_lease', expression: `(status = 'RUNNING') = (lease_until is not null)` },
    { name: 'workflow_execution_finished', expression: `(status = 'QUEUED' or status = 'RUNNING') = (finished_at is null)` },
    { name: 'workflow_execution_attempt', expression: 'attempt >= 0 and max_attempts >= 1' },
  ],
  immutable: ['automation', 'trigger', 'key', 'input'],
  // What others send and answer is about anybody.
  audit: { personal: ['input', 'output'] },
})
