import { type Actor, TenantContextMissingError } from '../context/index.ts'
import { type Daybook, type ScopedEntityManager, type TenantInput, withAtHand, wholly, workAtHand } from '../orm/index.ts'

type Tenant = TenantInput['tenant']
type Work<T> = (em: ScopedEntityManager) => Promise<T>

/** Works for one tenant: whatever is called inside finds its EntityManager without being handed it. */
export function withTenant<T>(daybook: Daybook, scope: TenantInput, work: Work<T>): Promise<T> {
  const em = daybook.scope(scope)
  return withAtHand({ daybook, input: scope, em }, () => work(em))
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
  const { daybook, input } = required('transactionHelpers.withTransaction')
  const em = daybook.current()
  if (em.isInTransaction()) return wholly(em, tx => withAtHand({ daybook, input, em: tx }, () => work(tx)))
  return daybook.transact(input, work)
}

/** The same as `daybook.current()`, for code that has no Daybook either. */
export function emAtHand(asker: string): ScopedEntityManager {
  return required(asker).daybook.current()
}

function required(asker: string) {
  const work = workAtHand()
  if (!work) throw new TenantContextMissingError(asker, 'call outside withTenant(daybook, { tenant, actor }, …)')
  return work
}
