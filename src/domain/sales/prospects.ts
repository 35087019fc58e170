import { UniqueConstraintViolationException } from '@mikro-orm/core'
import { searchInput } from '../../kernel/search-input.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { normalizeEmail } from '../identity/index.ts'
import { Prospect } from './prospect.entity.ts'
import { ProspectEmailTakenError } from './sales.errors.ts'

export interface ProspectInput {
  readonly email: string
  readonly firstName?: string
  readonly lastName?: string
  readonly company?: string
  readonly companyDomain?: string
  readonly industry?: string
  readonly region?: string
  readonly companySize?: number
  readonly locale?: string
  readonly data?: Record<string, unknown>
}

/** Takes in a prospect; addresses and domains are kept in lower case. */
export async function addProspect(em: ScopedEntityManager, { email, companyDomain, ...input }: ProspectInput): Promise<Prospect> {
  const prospect = em.create(
    Prospect,
    { ...input, email: normalizeEmail(email), companyDomain: companyDomain?.trim().toLowerCase() ?? null },
    { persist: false },
  )
  await whereFree(em, async inner => void inner.persist(prospect))
  return prospect
}

/** Brings back a prospect that was deleted, unless somebody else has its address by now. */
export async function restoreProspect(em: ScopedEntityManager, prospect: Prospect): Promise<void> {
  const { deletedAt } = prospect
  try {
    await whereFree(em, async () => prospect.restore())
  } catch (error) {
    prospect.deletedAt = deletedAt ?? null
    throw error
  }
}

/** The prospects whose words these are, the best first: `ada "example gmbh" -test`. */
export async function searchProspects(em: ScopedEntityManager, words: string, limit = 50): Promise<Prospect[]> {
  const input = searchInput(words, limit)
  const search = (inner: ScopedEntityManager) =>
    inner.execute<{ id: string }[]>('select id from daybook_search_prospects(?, ?) as found', input)
  // A statement of one's own knows the tenant only inside a transaction.
  const found = await (em.isInTransaction() ? search(em) : em.transactional(search))
  const ids = found.map(({ id }) => id)
  const prospects = new Map((await em.find(Prospect, { id: { $in: ids } })).map(prospect => [prospect.id, prospect]))
  return ids.flatMap(id => prospects.get(id) ?? [])
}

/** The index knows what two who look at once don't; a savepoint keeps the transaction usable when it refuses. */
async function whereFree(em: ScopedEntityManager, work: (em: ScopedEntityManager) => Promise<void>): Promise<void> {
  try {
    await em.transactional(work)
  } catch (error) {
    const isTaken =
      error instanceof UniqueConstraintViolationException &&
      (error as { constraint?: string }).constraint === 'prospect_tenant_id_email_unique'
    throw isTaken ? new ProspectEmailTakenError({ cause: error }) : error
  }
}
