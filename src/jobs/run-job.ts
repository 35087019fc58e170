import { channel } from 'node:diagnostics_channel'
import { systemActor } from '../context/index.ts'
import { allDone } from '../kernel/all-done.ts'
import { currentTraceId, inSpan } from '../kernel/tracing.ts'
import { messageOf } from '../kernel/error.ts'
import { atMost } from '../kernel/at-most.ts'
import { waitUpTo } from '../kernel/in-time.ts'
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
  /** `SKIPPED`: another process is at it. `STOPPED`: its signal ended it, or it lost its lead, and the next run goes on. */
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
    const done = await asLeader(daybook, job.name, lost => new Run(daybook, job, options, lost).go())
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

const tenantsOnAPage = 100
/** What calls elsewhere waits there most of the time: one tenant whose receivers hang must not hold up the others. */
const outsideAtOnce = 5
/** However many calls come back at once: those who wait for a connection are counted by hosts, which refuse requests when they are many. */
const transactionsAtOnce = 4
/** After that another tenant's calls have their turn; what is left waits for the next run, and what still hangs goes on beside. */
const fairShareMs = 5_000
/** Each of them may hold some open connections to somewhere, and what it is to send. */
const mostBeside = 50

const unlogged = { unlogged: true } as const

type Count = (processed: number) => void

class Run {
  readonly #daybook: Daybook
  readonly #job: Job
  readonly #options: RunOptions
  readonly #lost: AbortSignal | undefined
  readonly #context: JobContext
  readonly #inTurn = atMost(transactionsAtOnce)
  /** In the order in which their turn came: the first whose work isn't done, and all behind it. */
  readonly #begun: string[] = []
  readonly #done = new Set<string>()
  readonly #beside = new Set<Promise<void>>()
  #tenants = 0

  constructor(daybook: Daybook, job: Job, options: RunOptions, lost?: AbortSignal) {
    this.#daybook = daybook
    this.#job = job
    this.#options = options
    this.#lost = lost
    this.#context = { at: options.at ?? new Date(), dryRun: options.dryRun ?? false, installation: daybook.installation }
  }

  async go(): Promise<JobReport> {
    const run = await this.#start()
    try {
      const { forPlatform, forTenant, outsideForTenant } = this.#job
      if (forPlatform)
        await this.#repeat(
          more => this.#count(run, more),
          () => this.#asOperator(em => forPlatform(em, this.#context)),
        )
      if (forTenant ?? outsideForTenant) await this.#goThroughTenants(run)
      if (this.#hasToStop()) run.stop(new Date())
      else run.finish(new Date())
    } catch (error) {
      run.finish(new Date(), messageOf(error))
    }
    await this.#record(run)
    const { status, processed, failed, error } = run
    return { job: this.#job.name, status, processed, failed, ...(error && { error }) }
  }

  /** Where the run before this one ended early, this one begins where it stood. One that changed nothing has nothing to go on from. */
  async #start(): Promise<JobRun> {
    const { dryRun } = this.#context
    return this.#asOperator(async em => {
      const [last] = await em.find(
        JobRun,
        { job: this.#job.name, tenantId: null, dryRun },
        { orderBy: { startedAt: 'desc', id: 'desc' }, limit: 1 },
      )
      if (last?.status === 'RUNNING') last.abandon(new Date())
      const position = dryRun ? null : (last?.position ?? null)
      // Handed on, and not found again where a process whose clock was ahead has written it.
      if (last) last.position = null
      return em.create(JobRun, { job: this.#job.name, startedAt: new Date(), processed: 0, failed: 0, dryRun, position })
    })
  }

  async #goThroughTenants(run: JobRun): Promise<void> {
    let reached = run.position
    try {
      while (!this.#hasToStop()) {
        const tenants = await this.#asOperator(em => tenantsAfter(em, reached, this.#daybook.region, this.#job.alsoForUnserved))
        if (tenants.length === 0) break
        reached = tenants.at(-1)
        await this.#workForEach(run, tenants)
        await this.#record(run)
      }
    } finally {
      await allDone([...this.#beside])
    }
    if (!this.#hasToStop()) run.position = null
  }

  /** One after the other, or some at once. */
  async #workForEach(run: JobRun, tenants: readonly string[]): Promise<void> {
    const waiting = tenants.values()
    const takeTurns = async () => {
      for (const tenant of waiting) {
        if (this.#hasToStop()) return
        this.#begun.push(tenant)
        const work = this.#workFor(run, tenant).then(() => this.#passDone(run, tenant))
        await (this.#job.outsideForTenant ? this.#waitAWhile(work) : work)
      }
    }
    await allDone(Array.from({ length: this.#job.outsideForTenant ? outsideAtOnce : 1 }, takeTurns))
  }

  /** However many tenants' calls hang until their time-outs, the next has its turn. */
  async #waitAWhile(work: Promise<void>): Promise<void> {
    await waitUpTo(fairShareMs, work)
    this.#beside.add(work)
    work.then(
      () => this.#beside.delete(work),
      () => undefined,
    )
    if (this.#beside.size > mostBeside) await Promise.race(this.#beside)
  }

  /** The run stands at the last of those of whom all before them are done too. */
  #passDone(run: JobRun, tenant: string): void {
    this.#tenants++
    this.#done.add(tenant)
    while (this.#done.delete(this.#begun[0]!)) run.position = this.#begun.shift()!
  }

  /** One tenant's trouble is not another's. */
  async #workFor(run: JobRun, tenant: string): Promise<void> {
    const startedAt = new Date()
    let processed = 0
    let error: string | undefined
    const count = (more: number) => {
      processed += more
      this.#count(run, more)
    }
    try {
      const due = await this.#dueIn(tenant)
      await this.#inTenant(count, tenant)
      if (due > 0 && processed === 0) await this.#requireSight(tenant)
    } catch (caught) {
      run.failed++
      error = messageOf(caught)
    }
    if (processed === 0 && !error) return
    const { dryRun } = this.#context
    await this.#asOperator(async em => {
      const own = em.create(JobRun, { job: run.job, tenantId: tenant, startedAt, processed, failed: error ? 1 : 0, dryRun })
      own.finish(new Date(), error)
    })
  }

  /** Nothing was done of what was due: somebody else may have it in hand, or have done it. Only who doesn't see what is there is blind. */
  async #requireSight(tenant: string): Promise<void> {
    if (this.#hasToStop()) return
    const { at } = this.#context
    const seen = await this.#daybook.transact(this.#scopeIn(tenant, `job:${this.#job.name}`), em => this.#job.due!(em, at), unlogged)
    const due = seen > 0 ? 0 : await this.#dueIn(tenant)
    if (due > 0) throw new JobBlindError(this.#job.name, tenant, due)
  }

  #dueIn(tenant: string): Promise<number> {
    return this.#asOperator(em => this.#job.due?.(em, this.#context.at, tenant) ?? Promise.resolve(0))
  }

  /** Also what it does between its transactions is done for the tenant, for code that asks `daybook.current()`. */
  async #inTenant(count: Count, tenant: string): Promise<void> {
    const { due, forTenant, outsideForTenant } = this.#job
    const input = this.#scopeIn(tenant, `job:${this.#job.name}`)
    const transact: Transact = work => this.#inTurn(() => this.#daybook.transact(input, work, unlogged))
    // What an automation does as itself may take its time, and takes nobody's turn.
    const transactAs = (actor: string): Transact => {
      const scope = this.#scopeIn(tenant, actor)
      return work => this.#daybook.transact(scope, work, unlogged)
    }
    await withAtHand({ daybook: this.#daybook, input }, async () => {
      if (due && this.#context.dryRun) return this.#repeat(count, () => transact(em => due(em, this.#context.at)))
      if (forTenant) await this.#repeat(count, () => transact(em => forTenant(em, this.#context)))
      if (outsideForTenant) await this.#repeat(count, () => outsideForTenant({ transact, transactAs }, this.#context), fairShareMs)
    })
  }

  /** A dry run changes nothing, so a second step would find the same again. */
  async #repeat(count: Count, round: () => Promise<number>, withinMs = Infinity): Promise<void> {
    const until = performance.now() + withinMs
    for (let processed = -1; processed !== 0 && performance.now() < until && !this.#hasToStop();) {
      processed = await round()
      count(processed)
      if (this.#context.dryRun) return
    }
  }

  #count(run: JobRun, processed: number): void {
    run.processed += processed
    this.#options.onProgress?.({ job: this.#job.name, tenants: this.#tenants, processed: run.processed })
  }

  #hasToStop(): boolean {
    return (this.#options.signal?.aborted || this.#lost?.aborted) ?? false
  }

  #asOperator<T>(work: (em: ScopedEntityManager) => Promise<T>): Promise<T> {
    return this.#daybook.transact(operatorOf(this.#job.name), work, unlogged)
  }

  #scopeIn(tenant: string, actor: string): TenantInput {
    const correlationId = currentTraceId()
    return { tenant, actor: systemActor(actor), reason: `the job ${this.#job.name}`, ...(correlationId && { correlationId }) }
  }

  /** Unless whoever leads now has closed it. */
  #record({ id, status, finishedAt = null, processed, failed, error = null, position = null }: JobRun): Promise<number> {
    const open = { id, status: 'RUNNING' as const }
    return this.#asOperator(em => em.nativeUpdate(JobRun, open, { status, finishedAt, processed, failed, error, position }))
  }
}

/** Those of another region are another process's. */
async function tenantsAfter(
  em: ScopedEntityManager,
  position: string | null | undefined,
  region: string | undefined,
  alsoUnserved = false,
): Promise<string[]> {
  const dataRegion = dataRegions.find(each => each === region)
  const open = alsoUnserved ? {} : { status: 'ACTIVE' as const, deletedAt: null }
  const served = { ...open, ...(position && { id: { $gt: position } }), ...(dataRegion && { dataRegion }) }
  const found = await em.find(Organization, served, { fields: ['id'], orderBy: { id: 'asc' }, limit: tenantsOnAPage })
  return found.map(({ id }) => id)
}
