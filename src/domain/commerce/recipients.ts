import type { ScopedEntityManager } from '../../orm/index.ts'
import { NewsletterSubscriber } from './newsletter-subscriber.entity.ts'

export interface Recipients {
  /** The id behind which they begin. */
  readonly after?: string | null
  readonly limit?: number
}

/** Those who get the newsletter, some at a time. */
export function recipientsOf(em: ScopedEntityManager, { after, limit = 100 }: Recipients = {}): Promise<NewsletterSubscriber[]> {
  const behind = after ? { id: { $gt: after } } : {}
  return em.find(NewsletterSubscriber, { status: 'ACTIVE', ...behind }, { orderBy: { id: 'asc' }, limit })
}
