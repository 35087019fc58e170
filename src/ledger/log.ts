import { TenantContextMissingError } from '../context/index.ts'
import type { ScopedEntityManager } from '../orm/index.ts'
import { AuditCheckpoint } from './audit-checkpoint.entity.ts'

/** Whose log this scope works with. */
export function logOf(em: ScopedEntityManager): string {
  const scope = em.boundScope
  if (scope?.kind !== 'tenant') throw new TenantContextMissingError('AuditCheckpoint', 'read')
  return scope.tenantId
}

/** The newest checkpoint. */
export async function headOf(em: ScopedEntityManager): Promise<AuditCheckpoint | undefined> {
  const [head] = await em.find(
    AuditCheckpoint,
    { anchorTarget: null },
    { orderBy: { treeSize: 'desc' }, limit: 1, disableIdentityMap: true },
  )
  return head
}
