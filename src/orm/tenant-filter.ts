import type { Dictionary, EntityManager, FilterDef } from '@mikro-orm/core'
import { ScopeInvalidError, type Scope, TenantContextMissingError } from '../context/index.ts'

export const tenantFilterName = 'tenant'

/** The one global filter: the application's half of isolation, and what gives its errors a name. The policy is the other half. */
export function tenantFilter(entities: FilterDef['entity']): FilterDef {
  return {
    name: tenantFilterName,
    entity: entities,
    default: true,
    strict: true,
    args: false,
    cond: (params: Dictionary | undefined, operation, _em, _options, entityName) => {
      const scope = scopeOf(params)
      if (scope?.kind === 'operator') return {}
      if (scope?.kind === 'tenant') return { tenantId: scope.tenantId }
      throw new TenantContextMissingError(entityName ?? 'A tenant entity', operation)
    },
  }
}

export function filterParamsOf(scope: Scope): Dictionary {
  return { scope }
}

/** Fills `tenantId` of a new row. An operator names the tenant on the row itself, because its scope has none. */
export function tenantIdFromScope(em: EntityManager, entityName: string): string {
  const scope = scopeOf(em.getFilterParams(tenantFilterName))
  if (scope?.kind === 'tenant') return scope.tenantId
  if (scope?.kind === 'operator') throw new ScopeInvalidError('tenantId', `given on each new ${entityName} in an operator scope`)
  throw new TenantContextMissingError(entityName, 'create')
}

function scopeOf(params: Dictionary | undefined): Scope | undefined {
  return params?.scope as Scope | undefined
}
