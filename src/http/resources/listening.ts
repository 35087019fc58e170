import { PermissionDeniedError } from '../../domain/access/index.ts'
import type { Work } from '../in-tenant.ts'

/** What waits for events is told what the log tells, people's own words among it. So whoever sets it up may read the log. */
export async function requireReaderOfLog({ may }: Pick<Work, 'may'>): Promise<void> {
  const permission = 'audit-event:read'
  if (!(await may(permission))) throw new PermissionDeniedError(permission, 'what waits for events is told what the log tells')
}
