import { AsyncLocalStorage } from 'node:async_hooks'
import { TenantContextMissingError } from './context.errors.ts'
import type { Scope } from './scope.ts'

/**
 * The scope of the work at hand, for code that has no EntityManager in its arguments. It is set around a tenant's work by a request, a job,
 * `withTenant` and `daybook.transact`, and read by `daybook.current()`, which gives the EntityManager of the running transaction.
 */
export const tenantContext = new AsyncLocalStorage<Scope>()

export function currentScope(): Scope {
  const scope = tenantContext.getStore()
  if (!scope) throw new TenantContextMissingError('daybook.current()', 'call')
  return scope
}
