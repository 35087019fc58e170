import { TenantContextMissingError } from '../context/index.ts'
import type { ScopedEntityManager } from '../orm/index.ts'
import { AuditCheckpoint } from './audit-checkpoint.entity.ts'
import { LedgerBrokenError } from './ledger.errors.ts'

/** Whose log this scope works with. */
export function logOf(em: ScopedEntityManager): string {
  const scope = em.boundScope
  if (scope?.kind !== 'tenant') throw new TenantContextMissingError('AuditCheckpoint', 'read')
  return scope.tenantId
}

/** The newest checkpoint. The application may add rows, so one may say what no log can be; nothing is sealed behind that. */
export async function headOf(em: ScopedEntityManager): Promise<AuditCheckpoint | undefined> {
  const [head] = await em.find(
    AuditCheckpoint,
    { anchorTarget: null },
    { orderBy: { treeSize: 'desc' }, limit: 1, disableIdentityMap: true },
  )
  const isPossible = head === undefined || [head.treeSize, head.fromSeq, head.toSeq].every(Number.isSafeInteger)
  if (!isPossible)
    throw new LedgerBrokenError(head.tenantId, `checkpoint ${head.id} says a size or a number of events that no log can have`)
  return head
}
