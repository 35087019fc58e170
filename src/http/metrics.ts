import type { Channel } from 'node:diagnostics_channel'
import { createRequire } from 'node:module'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { type JobRunReport, jobRunReports } from '../jobs/index.ts'
import { type Daybook, type TransactionReport, transactionReports } from '../orm/index.ts'
import { type Load, type LoadReason, loadReasons } from './load-shedding.ts'
import { limitNames } from './rate-limits.ts'

const { version } = createRequire(import.meta.url)('daybook/package.json') as { version: string }

const limits = [...limitNames, 'connections'] as const
type Limit = (typeof limits)[number]

/** What a host counts, in a registry of its own. Labels are routes, states and names from the code, so their number has an end; no ids. */
export class Metrics implements Disposable {
  readonly registry = new Registry()
  readonly #daybook: Daybook
  readonly #stop: (() => unknown)[] = []
  readonly #requests = this.#histogram('http_request_duration_seconds', 'Requests, by the pattern of their route', [
    'method',
    'route',
    'status',
  ])
  readonly #throttled = this.#counter('daybook_requests_throttled_total', 'Requests refused with 429, by limit', ['limit'])
  readonly #shed = this.#counter('daybook_requests_shed_total', 'Requests refused with 503 because there was too much to do', ['reason'])
  readonly #transactions = this.#histogram('daybook_transaction_duration_seconds', 'Transactions, attempts included', ['scope', 'outcome'])
  readonly #retries = this.#counter('daybook_transaction_retries_total', 'Attempts after the first, because of conflicts', ['scope'])
  readonly #events = this.#counter('daybook_audit_events_total', 'Events that committed transactions of this process have written', [])
  readonly #jobs = this.#histogram('daybook_job_duration_seconds', 'Runs of jobs', ['job', 'status'])

  constructor(daybook: Daybook, load: Load) {
    this.#daybook = daybook
    for (const limit of limits) this.#throttled.inc({ limit }, 0)
    for (const reason of loadReasons) this.#shed.inc({ reason }, 0)
    this.#gauge(
      'daybook_event_loop_delay_seconds',
      'The longest wait for the event loop within a second',
      () => load.eventLoopDelayMs / 1000,
    )
    this.#gauge('daybook_pool_connections', 'Open connections of the application', () => daybook.pool?.size)
    this.#gauge('daybook_pool_connections_idle', 'Those that nobody uses', () => daybook.pool?.idle)
    this.#gauge('daybook_pool_waiting', 'Transactions that wait for a connection', () => daybook.pool?.waiting)
    this.#gauge('process_resident_memory_bytes', 'Memory of the process', () => process.memoryUsage.rss())
    this.#gauge('process_heap_used_bytes', 'Memory of its objects', () => process.memoryUsage().heapUsed)
    const build = new Gauge({ name: 'daybook_build_info', help: 'Always 1', labelNames: ['version', 'node'], registers: [this.registry] })
    build.set({ version, node: process.version }, 1)
    this.#heed(transactionReports, message => this.#transacted(message as TransactionReport))
    this.#heed(jobRunReports, message => this.#ran(message as JobRunReport))
  }

  answered(method: string, route: string, status: number, seconds: number): void {
    this.#requests.observe({ method: route === 'unmatched' ? 'ANY' : method, route, status }, seconds)
  }

  throttled(limit: Limit): void {
    this.#throttled.inc({ limit })
  }

  shed(reason: LoadReason): void {
    this.#shed.inc({ reason })
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stop) stop()
  }

  #transacted({ scope, outcome, attempts, events, seconds }: TransactionReport): void {
    this.#transactions.observe({ scope, outcome }, seconds)
    if (attempts > 1) this.#retries.inc({ scope }, attempts - 1)
    if (outcome === 'committed') this.#events.inc(events)
  }

  #ran({ job, status, seconds }: JobRunReport): void {
    this.#jobs.observe({ job, status }, seconds)
  }

  /** Several hosts may share a process, each with its own database. */
  #heed(reports: Channel, listen: (message: unknown) => void): void {
    const onMessage = (message: unknown) => {
      if ((message as { readonly daybook: object }).daybook === this.#daybook) listen(message)
    }
    reports.subscribe(onMessage)
    this.#stop.push(() => reports.unsubscribe(onMessage))
  }

  #histogram<L extends string>(name: string, help: string, labelNames: L[]): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10], registers: [this.registry] })
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] })
  }

  #gauge(name: string, help: string, read: () => number | undefined): void {
    const registers = [this.registry]
    const gauge: Gauge = new Gauge({ name, help, collect: () => gauge.set(read() ?? 0), registers })
  }
}
