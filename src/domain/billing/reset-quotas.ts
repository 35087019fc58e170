import type { ScopedEntityManager } from '../../orm/index.ts'
import { Organization } from '../organizations/index.ts'
import { ownOrganization } from '../organizations/internal.ts'
import { quotaPeriod } from './quota-period.ts'

/**
 * Says of an organization whose period is over when the next one ends. Counting doesn't wait for it, for a use counts to the period of its own
 * moment; whoever reads the organization, or its history, learns of it here.
 */
export async function resetQuotas(em: ScopedEntityManager, at: Date): Promise<number> {
  const organization = await ownOrganization(em)
  if (!organization || !isOver(organization, at)) return 0
  organization.quotaResetAt = (await quotaPeriod(em, at)).resetAt
  return 1
}

export async function countDueResets(em: ScopedEntityManager, at: Date, tenantId?: string): Promise<number> {
  const organization = tenantId ? await em.findOne(Organization, tenantId) : await ownOrganization(em)
  return organization && isOver(organization, at) ? 1 : 0
}

function isOver({ quotaResetAt }: Organization, at: Date): boolean {
  return !quotaResetAt || quotaResetAt <= at
}
