import { AsyncLocalStorage } from 'node:async_hooks'
import { TenantContextMissingError } from './context.errors.ts'
import type { Scope } from './scope.ts'

/**
 * The scope of the work at hand, for code that has no EntityManager in its arguments. It is set at the edge (a request, a job) and read
 * by `daybook.current()`; everything inside passes its EntityManager on.
 */
export const tenantContext = new AsyncLocalStorage<Scope>()

export function currentScope(): Scope {
  const scope = tenantContext.getStore()
  if (!scope) throw new TenantContextMissingError('daybook.current()', 'call')
  return scope
}
