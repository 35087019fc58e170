import { setImmediate as yieldToTimers, setTimeout as sleep } from 'node:timers/promises'
import type { ScopeInput } from '../context/index.ts'
import { messageOf } from '../kernel/error.ts'
import type { Daybook, ScopedEntityManager } from '../orm/index.ts'
import { eventsBetween, type FollowedEvent } from './followed-event.ts'
import { Horizon } from './horizon.ts'

/** What a follower does with events, in the transaction that also moves its position: what it writes through `em` happens exactly once. */
export type Handler = (events: readonly FollowedEvent[], em: ScopedEntityManager) => Promise<void>

export interface SubscribeOptions {
  /** A tenant's scope follows that tenant's log; an operator's follows all. */
  readonly scope: ScopeInput
  readonly batch?: number
  /** How long it rests when there is nothing to do. */
  readonly pollMs?: number
  /** Its statements stay out of the query log. */
  readonly unlogged?: boolean
  /** A batch that fails is tried again, later each time; without this the process is warned. */
  readonly onError?: (error: unknown) => void
}

export interface Progress {
  readonly position: number
  readonly latest: number
  readonly behind: number
  /** How often the batch at hand has failed, and why the last time. */
  readonly failures: number
  readonly lastError?: string
}

/**
 * Follows the log from where it stood last, in an order in which causes come before effects. Of several followers with one name one works at
 * a time; another goes on when it dies. What `handler` does outside the database happens at least once.
 */
export function subscribe(daybook: Daybook, name: string, handler: Handler, options: SubscribeOptions): Subscription {
  return new Subscription(daybook, name, handler, options)
}

/** An operator sees every tenant's followers, and its own have no tenant. */
export const mine = `name = ? and tenant_id is not distinct from nullif(current_setting('daybook.tenant_id', true), '')::uuid`

export class Subscription implements AsyncDisposable {
  readonly #daybook: Daybook
  readonly #name: string
  readonly #handler: Handler
  readonly #options: SubscribeOptions
  readonly #horizon = new Horizon()
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>

  constructor(daybook: Daybook, name: string, handler: Handler, options: SubscribeOptions) {
    this.#daybook = daybook
    this.#name = name
    this.#handler = handler
    this.#options = options
    this.#running = this.#run()
  }

  async progress(): Promise<Progress> {
    return this.#daybook.transact(this.#options.scope, async em => {
      const [row] = await em.execute<{ position: string; latest: string; failures: number | null; error: string | null }[]>(
        `select coalesce(s.reached, 0)::text as position, m.seq::text as latest, s.failures, s.last_error as error
           from daybook_mark() m left join audit_subscription s on ${mine}`,
        [this.#name],
      )
      const [position, latest] = [Number(row!.position), Number(row!.latest)]
      const { failures, error } = row!
      return {
        position,
        latest,
        behind: Math.max(0, latest - position),
        failures: failures ?? 0,
        ...(error !== null && { lastError: error }),
      }
    })
  }

  /** Waits until everything that was written before this call has been handled. */
  async caughtUp(): Promise<void> {
    const { latest } = await this.progress()
    while ((await this.progress()).position < latest) {
      this.#stopping.signal.throwIfAborted()
      await sleep(20)
    }
  }

  /** Ends after the batch at hand. */
  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run(): Promise<void> {
    const { pollMs = 250, onError = warn } = this.#options
    let failures = 0
    while (!this.#stopping.signal.aborted) {
      let moved = false
      try {
        moved = await this.#step()
        failures = 0
      } catch (error) {
        failures++
        onError(error)
        await this.#remember(error).catch(() => undefined)
      }
      const restMs = failures > 0 ? Math.min(pollMs * 2 ** failures, 60_000) : moved ? 0 : pollMs
      // Also between two batches: the embedded database answers without ever letting a timer run.
      await (restMs > 0 ? sleep(restMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined) : yieldToTimers())
    }
  }

  /** One batch; whether there was anything to do. */
  async #step(): Promise<boolean> {
    const { scope, batch = 2_000, unlogged = false } = this.#options
    const state = await this.#daybook.transact(
      scope,
      async em => {
        const position = await this.#lock(em)
        if (position === undefined) return 'busy'
        const end = await this.#horizon.from(em, position)
        if (end === position) return position
        const events = await eventsBetween(em, position, end, batch)
        const next = events.length === batch ? events.at(-1)!.seq : end
        if (events.length > 0) await this.#handler(events, em)
        await em.flush()
        await em.execute(`update audit_subscription set reached = ?, failures = 0, last_error = null, updated_at = now() where ${mine}`, [
          next,
          this.#name,
        ])
        return 'moved'
      },
      { attempts: 1, unlogged },
    )
    if (typeof state === 'number') await this.#daybook.transact(scope, em => this.#horizon.mark(em, state), { unlogged })
    return state === 'moved'
  }

  /** The position, which nobody else moves until this transaction ends; undefined while another follower works. */
  async #lock(em: ScopedEntityManager): Promise<number | undefined> {
    await em.execute(
      `insert into audit_subscription (name, tenant_id) values (?, nullif(current_setting('daybook.tenant_id', true), '')::uuid) on conflict do nothing`,
      [this.#name],
    )
    const [row] = await em.execute<{ position: string }[]>(
      `select reached::text as position from audit_subscription where ${mine} for update skip locked`,
      [this.#name],
    )
    return row && Number(row.position)
  }

  async #remember(error: unknown): Promise<void> {
    await this.#daybook.transact(this.#options.scope, em =>
      // The row itself may have gone with the transaction that failed.
      em.execute(
        `insert into audit_subscription as s (name, tenant_id, failures, last_error)
           values (?, nullif(current_setting('daybook.tenant_id', true), '')::uuid, 1, left(?, 500))
           on conflict (tenant_id, name) do update set failures = s.failures + 1, last_error = excluded.last_error`,
        [this.#name, messageOf(error)],
      ),
    )
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}
