import { channel } from 'node:diagnostics_channel'
import { systemActor } from '../context/index.ts'
import { currentTraceId, inSpan } from '../kernel/tracing.ts'
import { messageOf } from '../kernel/error.ts'
import { dataRegions, Organization } from '../domain/organizations/index.ts'
import { JobRun, type JobStatus } from '../domain/system/index.ts'
import { type Daybook, type ScopedEntityManager, type TenantInput, type Transact, withAtHand } from '../orm/index.ts'
import type { Job, JobContext } from './job.ts'
import { JobBlindError } from './jobs.errors.ts'
import { asLeader } from './leader.ts'
import { operatorOf } from './operator.ts'

export interface RunOptions {
  readonly at?: Date
  readonly dryRun?: boolean
  /** Ends the run after the step at hand; the next run goes on from there. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: JobProgress) => void
}

export interface JobProgress {
  readonly job: string
  readonly tenants: number
  readonly processed: number
}

export interface JobReport {
  readonly job: string
  /** `SKIPPED`: another process is at it. */
  readonly status: JobStatus
  readonly processed: number
  /** For how many tenants it failed; each has a `JobRun` that says why. */
  readonly failed: number
  readonly error?: string
}

/** Runs a job once, unless another process runs it at this moment, and keeps a record of it. */
export function runJob(daybook: Daybook, job: Job, options: RunOptions = {}): Promise<JobReport> {
  return inSpan('daybook.job', { 'daybook.job': job.name }, async span => {
    const startedAt = performance.now()
    const done = await asLeader(daybook, job.name, () => new Run(daybook, job, options).go())
    const report: JobReport = done ?? { job: job.name, status: 'SKIPPED', processed: 0, failed: 0 }
    span.setAttributes({ 'daybook.status': report.status, 'daybook.processed': report.processed, 'daybook.failed': report.failed })
    if (jobRunReports.hasSubscribers) {
      const run: JobRunReport = { daybook, job: job.name, status: report.status, seconds: (performance.now() - startedAt) / 1000 }
      jobRunReports.publish(run)
    }
    return report
  })
}

/** For those who count runs. */
export interface JobRunReport {
  readonly daybook: object
  readonly job: string
  readonly status: JobStatus
  readonly seconds: number
}

export const jobRunReports = channel('daybook:job')

const tenantsAtOnce = 100
/** After that another tenant's calls have their turn; what is left waits for the next run. */
const fairShareMs = 5_000

const unlogged = { unlogged: true } as const

class Run {
  readonly #daybook: Daybook
  readonly #job: Job
  readonly #options: RunOptions
  readonly #context: JobContext
  #tenants = 0

  constructor(daybook: Daybook, job: Job, options: RunOptions) {
    this.#daybook = daybook
    this.#job = job
    this.#options = options
    this.#context = { at: options.at ?? new Date(), dryRun: options.dryRun ?? false, installation: daybook.installation }
  }

  async go(): Promise<JobReport> {
    const run = await this.#start()
    try {
      const { forPlatform, forTenant, outsideForTenant } = this.#job
      if (forPlatform) await this.#repeat(run, () => this.#asOperator(em => forPlatform(em, this.#context)))
      if (forTenant ?? outsideForTenant) await this.#goThroughTenants(run)
      run.finish(new Date(), this.#options.signal?.aborted ? 'It was told to stop; the next run goes on.' : undefined)
    } catch (error) {
      run.finish(new Date(), messageOf(error))
    }
    await this.#record(run)
    const { status, processed, failed, error } = run
    return { job: this.#job.name, status, processed, failed, ...(error && { error }) }
  }

  /** Where the run before this one ended early, this one begins where it stood. */
  async #start(): Promise<JobRun> {
    return this.#asOperator(async em => {
      const [last] = await em.find(
        JobRun,
        { job: this.#job.name, tenantId: null },
        { orderBy: { startedAt: 'desc', id: 'desc' }, limit: 1 },
      )
      if (last?.status === 'RUNNING') last.abandon(new Date())
      const position = last && last.status === 'FAILED' && last.position ? last.position : null
      const { dryRun } = this.#context
      return em.create(JobRun, { job: this.#job.name, startedAt: new Date(), processed: 0, failed: 0, dryRun, position })
    })
  }

  async #goThroughTenants(run: JobRun): Promise<void> {
    while (!this.#options.signal?.aborted) {
      const tenants = await this.#asOperator(em => tenantsAfter(em, run.position, this.#daybook.region, this.#job.alsoForClosed))
      if (tenants.length === 0) {
        run.position = null
        return
      }
      for (const tenant of tenants) {
        if (this.#options.signal?.aborted) return
        await this.#workFor(run, tenant)
        run.position = tenant
        this.#tenants++
      }
      await this.#record(run)
    }
  }

  /** One tenant's trouble is not another's. */
  async #workFor(run: JobRun, tenant: string): Promise<void> {
    const startedAt = new Date()
    const before = run.processed
    let error: string | undefined
    try {
      const { due } = this.#job
      const seen = due ? await this.#asOperator(em => due(em, this.#context.at, tenant)) : 0
      await this.#inTenant(run, tenant)
      if (seen > 0 && run.processed === before) throw new JobBlindError(this.#job.name, tenant, seen)
    } catch (caught) {
      run.failed++
      error = messageOf(caught)
    }
    const processed = run.processed - before
    if (processed === 0 && !error) return
    const { dryRun } = this.#context
    await this.#asOperator(async em => {
      const own = em.create(JobRun, { job: run.job, tenantId: tenant, startedAt, processed, failed: error ? 1 : 0, dryRun })
      own.finish(new Date(), error)
    })
  }

  /** Also what it does between its transactions is done for the tenant, for code that asks `daybook.current()`. */
  async #inTenant(run: JobRun, tenant: string): Promise<void> {
    const { due, forTenant, outsideForTenant } = this.#job
    const input = this.#scopeIn(tenant, `job:${this.#job.name}`)
    const transact: Transact = work => this.#daybook.transact(input, work, unlogged)
    const transactAs = (actor: string): Transact => {
      const scope = this.#scopeIn(tenant, actor)
      return work => this.#daybook.transact(scope, work, unlogged)
    }
    await withAtHand({ daybook: this.#daybook, input }, async () => {
      if (due && this.#context.dryRun) return this.#repeat(run, () => transact(em => due(em, this.#context.at)))
      if (forTenant) await this.#repeat(run, () => transact(em => forTenant(em, this.#context)))
      if (outsideForTenant) await this.#repeat(run, () => outsideForTenant({ transact, transactAs }, this.#context), fairShareMs)
    })
  }

  /** A dry run changes nothing, so a second step would find the same again. */
  async #repeat(run: JobRun, round: () => Promise<number>, withinMs = Infinity): Promise<void> {
    const until = performance.now() + withinMs
    for (let processed = -1; processed !== 0 && performance.now() < until && !this.#options.signal?.aborted;) {
      processed = await round()
      run.processed += processed
      this.#options.onProgress?.({ job: this.#job.name, tenants: this.#tenants, processed: run.processed })
      if (this.#context.dryRun) return
    }
  }

  #asOperator<T>(work: (em: ScopedEntityManager) => Promise<T>): Promise<T> {
    return this.#daybook.transact(operatorOf(this.#job.name), work, unlogged)
  }

  #scopeIn(tenant: string, actor: string): TenantInput {
    const correlationId = currentTraceId()
    return { tenant, actor: systemActor(actor), reason: `the job ${this.#job.name}`, ...(correlationId && { correlationId }) }
  }

  #record({ id, status, finishedAt = null, processed, failed, error = null, position = null }: JobRun): Promise<number> {
    return this.#asOperator(em => em.nativeUpdate(JobRun, { id }, { status, finishedAt, processed, failed, error, position }))
  }
}

/** Those of another region are another process's. */
async function tenantsAfter(
  em: ScopedEntityManager,
  position: string | null | undefined,
  region: string | undefined,
  alsoClosed = false,
): Promise<string[]> {
  const dataRegion = dataRegions.find(each => each === region)
  const open = alsoClosed ? {} : { status: { $ne: 'CLOSED' as const } }
  const served = { ...open, ...(position && { id: { $gt: position } }), ...(dataRegion && { dataRegion }) }
  const found = await em.find(Organization, served, { fields: ['id'], orderBy: { id: 'asc' }, limit: tenantsAtOnce })
  return found.map(({ id }) => id)
}
