import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { currentTenantSql, globalEntity, moment, Row } from '../../orm/index.ts'

/** One that was told to stop isn't through, and nothing went wrong: the next one goes on. */
export const jobStatuses = ['RUNNING', 'OK', 'FAILED', 'STOPPED', 'SKIPPED'] as const
export type JobStatus = (typeof jobStatuses)[number]

/**
 * One run of a job: of the platform, or of one tenant, who may read its own. Only an operator writes it, so the policy has no clause for
 * writing.
 */
export class JobRun extends Row {
  declare job: string
  declare tenantId?: string | null
  declare status: Opt<JobStatus>
  declare startedAt: Date
  declare finishedAt?: Date | null
  declare processed: Opt<number>
  declare failed: Opt<number>
  declare dryRun: Opt<boolean>
  declare error?: string | null
  /** The last tenant that is done, from which a run goes on whose process ended before it did. */
  declare position?: string | null

  finish(at: Date, error?: string): void {
    this.end(at, error || this.failed > 0 ? 'FAILED' : 'OK')
    if (error) this.error = error
  }

  stop(at: Date): void {
    this.end(at, this.failed > 0 ? 'FAILED' : 'STOPPED')
  }

  abandon(at: Date): void {
    this.finish(at, 'The process that ran it ended before it did.')
  }

  private end(at: Date, status: JobStatus): void {
    this.finishedAt = at
    this.status = status
  }
}

export const JobRunSchema: EntitySchema<JobRun> = globalEntity({
  class: JobRun,
  properties: {
    job: p.text(),
    tenantId: p.uuid().nullable(),
    status: p.enum(jobStatuses).default('RUNNING'),
    startedAt: moment(),
    finishedAt: moment().nullable(),
    processed: p.integer().default(0),
    failed: p.integer().default(0),
    dryRun: p.boolean().default(false),
    error: p.text().nullable(),
    position: p.uuid().nullable(),
  },
  indexes: [{ properties: ['job', 'startedAt'] }, { properties: ['tenantId', 'startedAt'] }],
  policies: [{ name: 'own_runs', command: 'select', using: `tenant_id = ${currentTenantSql}` }],
})
