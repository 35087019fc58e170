import { HostBusyError, TooManyListenersError } from './http.errors.ts'

/** How many may listen to `/events/live` at once; each counts until their connection is closed. */
export interface ListenerLimits {
  readonly perTenant: number
  /** In all tenants together. */
  readonly perHost: number
}

/** Counts those who listen: each has a connection open, and asks the database again and again for as long as it has. */
export class Listeners {
  readonly #limits: ListenerLimits
  readonly #inTenants = new Map<string, number>()
  #all = 0

  constructor(limits: Partial<ListenerLimits> = {}) {
    this.#limits = { perTenant: 20, perHost: 200, ...limits }
  }

  /** One more, until what is given back is called. */
  enter(tenant: string): () => void {
    const inTenant = this.#inTenants.get(tenant) ?? 0
    if (inTenant >= this.#limits.perTenant) throw new TooManyListenersError(this.#limits.perTenant)
    if (this.#all >= this.#limits.perHost) throw new HostBusyError('listeners')
    this.#count(tenant, 1)
    let isIn = true
    return () => {
      if (isIn) this.#count(tenant, -1)
      isIn = false
    }
  }

  #count(tenant: string, change: 1 | -1): void {
    this.#all += change
    const inTenant = (this.#inTenants.get(tenant) ?? 0) + change
    if (inTenant > 0) this.#inTenants.set(tenant, inTenant)
    else this.#inTenants.delete(tenant)
  }
}
