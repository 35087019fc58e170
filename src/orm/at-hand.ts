import { AsyncLocalStorage } from 'node:async_hooks'
import { currentScope, resolveScope, type Scope, type ScopeInput, tenantContext } from '../context/index.ts'
import type { ScopedEntityManager } from './scoped-entity-manager.ts'

export type TenantInput = Extract<ScopeInput, { tenant: unknown }>

/** As much of a Daybook as code needs that was handed none. */
interface Opened {
  current(): ScopedEntityManager
  transact<T>(input: TenantInput, work: (em: ScopedEntityManager) => Promise<T>): Promise<T>
}

/** Work in a tenant, for code inside that was handed no EntityManager. An operator's is never at hand: who works across tenants says so. */
export interface WorkAtHand {
  readonly daybook: Opened
  readonly input: TenantInput
  /** Its EntityManager. Without one, each who asks gets an own. */
  readonly em?: ScopedEntityManager
}

interface Entered extends WorkAtHand {
  readonly scope: Scope
  isOver: boolean
}

const atHand = new AsyncLocalStorage<Entered>()

export async function withAtHand<T>(work: WorkAtHand, run: () => Promise<T>): Promise<T> {
  const entered = { ...work, scope: work.em?.boundScope ?? resolveScope(work.input), isOver: false }
  try {
    return await tenantContext.run(entered.scope, () => atHand.run(entered, run))
  } finally {
    entered.isOver = true
  }
}

export function workAtHand(): Pick<WorkAtHand, 'daybook' | 'input'> | undefined {
  return atHand.getStore()
}

/** Not where somebody has entered another scope since, and not when the work is over: what wasn't waited for gets an own. */
export function emOfWork(daybook: Opened): ScopedEntityManager | undefined {
  const work = atHand.getStore()
  return work?.daybook === daybook && !work.isOver && work.scope === currentScope() ? work.em : undefined
}
