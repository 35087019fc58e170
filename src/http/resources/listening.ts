import { PermissionDeniedError } from '../../domain/access/index.ts'
import type { TenantRow } from '../../orm/index.ts'
import type { Work } from '../in-tenant.ts'
import type { Described } from './resource.ts'

/** What waits for events is told what the log tells, people's own words among it. So whoever sets it up may read the log. */
export async function requireReaderOfLog({ may }: Pick<Work, 'may'>): Promise<void> {
  const permission = 'audit-event:read'
  if (!(await may(permission))) throw new PermissionDeniedError(permission, 'what waits for events is told what the log tells')
}

/**
 * Does something to one, or brings it back, and refuses it afterwards if by that it has come to be told of events; the transaction undoes it
 * then. What listens already others may still rename, and switch off.
 */
export async function heedingListeners<T extends TenantRow>(
  work: Work,
  { options: { listens } }: Described,
  before: TenantRow | undefined,
  act: () => Promise<T>,
): Promise<T> {
  if (!listens) return act()
  const didListen = before !== undefined && (await listens(work, before))
  const after = await act()
  if (!didListen && (await listens(work, after))) await requireReaderOfLog(work)
  return after
}

/** How one stands that somebody else will load and change, if it is there and listens at all. */
export async function asItStands({ em }: Work, { entity, options }: Described, id: string): Promise<TenantRow | undefined> {
  if (!options.listens) return undefined
  return (await em.findOne(entity, { id: id.toLowerCase() }, { disableIdentityMap: true })) ?? undefined
}
