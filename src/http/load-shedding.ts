import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { FastifyInstance } from 'fastify'
import type { Daybook } from '../orm/index.ts'
import { HostBusyError } from './http.errors.ts'
import type { LoadLimits, PluginOptions } from './options.ts'

export const loadReasons = ['event_loop', 'heap', 'pool'] as const
export type LoadReason = (typeof loadReasons)[number]

const sampleMs = 1_000
const resolutionMs = 20

export function loadLimits({ embedded }: Daybook, options: PluginOptions['load']): LoadLimits | undefined {
  // The embedded database works in this very process, so whoever waits for it waits for the event loop.
  const usual: LoadLimits = { eventLoopDelayMs: embedded ? 0 : 1_000, heapUsed: 0.9, poolWaiting: 100, tenantShare: 0.5 }
  return options === false ? undefined : { ...usual, ...options }
}

/** How busy this process is. */
export class Load implements Disposable {
  readonly #daybook: Daybook
  readonly #limits: LoadLimits | undefined
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs })
  #heapUsed = 0
  #lastDelay = 0
  #timer: NodeJS.Timeout | undefined

  constructor(daybook: Daybook, options: PluginOptions['load']) {
    this.#daybook = daybook
    this.#limits = loadLimits(daybook, options)
  }

  /** Not before the host listens: making it ready is work for seconds, which nobody waits for. */
  start(): void {
    this.#delay.enable()
    this.#sample()
    this.#timer = setInterval(() => this.#sample(), sampleMs).unref()
  }

  /** The longest that anything has waited for its turn in the last second or two, so a block is seen by the first request after it. */
  get eventLoopDelayMs(): number {
    return Math.max(0, this.#lastDelay, this.#delay.max / 1e6 - resolutionMs)
  }

  /** Why no more work should be taken on, if it shouldn't. */
  get reason(): LoadReason | undefined {
    if (!this.#limits || !this.#timer) return undefined
    const { eventLoopDelayMs, heapUsed, poolWaiting } = this.#limits
    if (eventLoopDelayMs > 0 && this.eventLoopDelayMs > eventLoopDelayMs) return 'event_loop'
    if (heapUsed > 0 && this.#heapUsed > heapUsed) return 'heap'
    if (poolWaiting > 0 && (this.#daybook.pool?.waiting ?? 0) >= poolWaiting) return 'pool'
    return undefined
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#delay.disable()
  }

  #sample(): void {
    this.#lastDelay = this.#delay.max / 1e6 - resolutionMs
    this.#delay.reset()
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
    this.#heapUsed = used / limit
  }
}

/** Refuses early what would be answered late, before anything is read or looked up for it. */
export function shedLoad(app: FastifyInstance, load: Load, onShed: (reason: LoadReason) => void): void {
  app.addHook('onReady', async () => load.start())
  app.addHook('onClose', async () => load[Symbol.dispose]())
  app.addHook('onRequest', async request => {
    if (request.routeOptions.config.isUnlimited) return
    const { reason } = load
    if (!reason) return
    onShed(reason)
    throw new HostBusyError(reason)
  })
}
