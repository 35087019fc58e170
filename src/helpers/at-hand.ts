import { AsyncLocalStorage } from 'node:async_hooks'
import { type Actor, resolveScope, type ScopeInput, tenantContext, TenantContextMissingError } from '../context/index.ts'
import { type Daybook, type ScopedEntityManager, wholly } from '../orm/index.ts'

type TenantInput = Extract<ScopeInput, { tenant: unknown }>
type Tenant = TenantInput['tenant']
type Work<T> = (em: ScopedEntityManager) => Promise<T>

interface AtHand {
  readonly daybook: Daybook
  readonly scope: TenantInput
  readonly em: ScopedEntityManager
}

const atHand = new AsyncLocalStorage<AtHand>()

/** Works for one tenant: whatever is called inside finds its EntityManager without being handed it. */
export function withTenant<T>(daybook: Daybook, scope: TenantInput, work: Work<T>): Promise<T> {
  return tenantContext.run(resolveScope(scope), () => enter({ daybook, scope, em: daybook.scope(scope) }, work))
}

/** An EntityManager for one tenant, by its id. */
export function forTenant(daybook: Daybook, tenant: Tenant, actor: Actor): ScopedEntityManager {
  return daybook.scope({ tenant, actor })
}

export interface TenantClient {
  readonly forTenant: (tenant: Tenant) => ScopedEntityManager
  readonly withTenant: <T>(tenant: Tenant, work: Work<T>) => Promise<T>
}

/** The two for somebody who works in many tenants. */
export function createTenantClient(daybook: Daybook, actor: Actor): TenantClient {
  return {
    forTenant: tenant => forTenant(daybook, tenant, actor),
    withTenant: (tenant, work) => withTenant(daybook, { tenant, actor }, work),
  }
}

export const transactionHelpers = { withTransaction }

/** One transaction of the tenant at hand, tried again after a conflict; inside another one it is a savepoint. */
function withTransaction<T>(work: Work<T>): Promise<T> {
  const { daybook, scope, em } = currentlyAtHand('transactionHelpers.withTransaction')
  if (em.isInTransaction()) return wholly(em, tx => enter({ daybook, scope, em: tx }, work))
  return daybook.transact(scope, tx => enter({ daybook, scope, em: tx }, work))
}

/** The EntityManager of the transaction or the tenant at hand. */
export function emAtHand(asker: string): ScopedEntityManager {
  return currentlyAtHand(asker).em
}

function enter<T>(current: AtHand, work: Work<T>): Promise<T> {
  return atHand.run(current, () => work(current.em))
}

function currentlyAtHand(asker: string): AtHand {
  const current = atHand.getStore()
  if (!current) throw new TenantContextMissingError(asker, 'call outside withTenant(daybook, { tenant, actor }, …)')
  return current
}
