import { userActor } from '../../context/index.ts'
import type { Daybook, ScopedEntityManager } from '../../orm/index.ts'
import { Organization } from './organization.entity.ts'

/** The organizations in which a person is an active member, by name. */
export async function organizationsOf(daybook: Daybook, userId: string): Promise<Organization[]> {
  return daybook
    .scope({ kind: 'identity', actor: userActor(userId) })
    .find(Organization, { status: { $ne: 'CLOSED' }, deletedAt: null }, { orderBy: { name: 'asc', id: 'asc' } })
}

/** The organization whose scope it is; null outside a tenant. */
export async function ownOrganization(em: ScopedEntityManager): Promise<Organization | null> {
  const scope = em.boundScope
  return scope?.kind === 'tenant' ? em.findOne(Organization, scope.tenantId) : null
}
