import type { FastifyRequest } from 'fastify'
import type { Daybook } from '../orm/index.ts'
import { RequestAbandonedError, TenantBusyError } from './http.errors.ts'
import type { Principal } from './principal.ts'
import { knownOf } from './request-state.ts'

/** As long as others wait for a connection of the pool, unless that is set otherwise. */
const patienceMs = 5_000
/** So many members are known; beyond that whoever became known first is a stranger again until their next request. */
const remembered = 10_000

/**
 * Shares the pool's connections out among tenants, so that one whose requests are slow leaves some to the others. A tenant may have as many
 * as stand in the given proportion to what is free: with one half, a tenant that is alone has half of the pool, two have a third each, and
 * there is always something left. What is more waits here, in the order in which it came, for a time.
 *
 * A person may name any tenant. Until it is certain that they belong to it they count for themselves, so that strangers neither take what is
 * the tenant's nor learn that it is busy.
 */
export class Shares {
  readonly #share: number
  readonly #mostWaiting: number
  readonly #size: number
  readonly #inUse = new Map<string, number>()
  readonly #waiting = new Map<string, (() => void)[]>()
  readonly #members = new Set<string>()
  readonly #onRefused: () => void
  #all = 0

  constructor(size: number, { tenantShare, poolWaiting }: ShareLimits, onRefused: () => void) {
    this.#size = size
    this.#share = tenantShare
    this.#mostWaiting = poolWaiting > 0 ? poolWaiting : Infinity
    this.#onRefused = onRefused
  }

  /** None where there is nothing to share: the embedded database does one thing at a time. */
  static of({ pool }: Daybook, limits: ShareLimits | undefined, onRefused: () => void): Shares | undefined {
    return pool && limits && limits.tenantShare > 0 ? new Shares(pool.max, limits, onRefused) : undefined
  }

  /** Who works in a tenant has its share; people only once `admitted` has said so. */
  holderOf(principal: Principal, tenant: string): Holder {
    if (principal.kind === 'program' || this.#members.has(`${principal.user.id} ${tenant}`)) return { name: tenant }
    return { name: `person ${principal.user.id}` }
  }

  /** Does it as soon as the holder may have one more connection. */
  async during<A>(request: FastifyRequest, holder: Holder, work: () => Promise<A>): Promise<A> {
    if (this.#waiting.has(holder.name) || !this.#hasRoom(holder.name)) await this.#turnOf(request, holder.name)
    else this.#count(holder.name, 1)
    try {
      return await work()
    } finally {
      this.#count(holder.name, -1)
      this.#letIn()
    }
  }

  /** From now on a person's requests count in the tenant, with the one at hand. */
  admitted(holder: Holder, person: string, tenant: string): void {
    if (holder.name === tenant) return
    const [oldest] = this.#members.size < remembered ? [] : this.#members
    if (oldest !== undefined) this.#members.delete(oldest)
    this.#members.add(`${person} ${tenant}`)
    this.#count(holder.name, -1)
    holder.name = tenant
    this.#count(tenant, 1)
  }

  refused(person: string, tenant: string): void {
    this.#members.delete(`${person} ${tenant}`)
  }

  #hasRoom(name: string): boolean {
    const inUse = this.#inUse.get(name) ?? 0
    return inUse === 0 || inUse * (1 - this.#share) < (this.#size - this.#all) * this.#share
  }

  #turnOf(request: FastifyRequest, name: string): Promise<void> {
    const { whenAbandoned, isAnswering } = knownOf(request)
    const queue = this.#waiting.get(name) ?? []
    // An answer that has begun can't be refused any more, and its next part may be late.
    if (!isAnswering && queue.length >= this.#mostWaiting) return Promise.reject(this.#refusal())
    this.#waiting.set(name, queue)
    return new Promise((resolve, reject) => {
      const turn = () => {
        stopWaiting()
        resolve()
      }
      const leave = (error: Error) => {
        stopWaiting()
        queue.splice(queue.indexOf(turn), 1)
        if (queue.length === 0) this.#waiting.delete(name)
        reject(error)
      }
      const abandon = () => leave(new RequestAbandonedError())
      const timer = isAnswering ? undefined : setTimeout(() => leave(this.#refusal()), patienceMs)
      const stopWaiting = () => {
        clearTimeout(timer)
        whenAbandoned?.removeEventListener('abort', abandon)
      }
      queue.push(turn)
      whenAbandoned?.addEventListener('abort', abandon)
    })
  }

  #refusal(): TenantBusyError {
    this.#onRefused()
    return new TenantBusyError()
  }

  /** One of each tenant at a time; whoever was served goes behind the others. */
  #letIn(): void {
    for (const [name, queue] of this.#waiting) {
      if (!this.#hasRoom(name)) continue
      this.#count(name, 1)
      this.#waiting.delete(name)
      queue.shift()!()
      // What is set while the map is gone through comes up again at its end.
      if (queue.length > 0) this.#waiting.set(name, queue)
    }
  }

  #count(name: string, change: 1 | -1): void {
    this.#all += change
    const inUse = (this.#inUse.get(name) ?? 0) + change
    if (inUse > 0) this.#inUse.set(name, inUse)
    else this.#inUse.delete(name)
  }
}

interface ShareLimits {
  readonly tenantShare: number
  readonly poolWaiting: number
}

/** Whose connection it is; a person's becomes their tenant's. */
export interface Holder {
  name: string
}
