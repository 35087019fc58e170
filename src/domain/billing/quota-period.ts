import type { ScopedEntityManager } from '../../orm/index.ts'
import { Subscription } from './subscription.entity.ts'

/** What is used is counted from one reset to the next. */
export interface Period {
  readonly periodStart: Date
  readonly resetAt: Date
}

/** The organization's period at a moment. */
export async function quotaPeriod(em: ScopedEntityManager, at: Date): Promise<Period> {
  return periodOf(await em.findOne(Subscription, { status: { $ne: 'CANCELED' } }), at)
}

/** The period that is paid for, or else the month. */
export function periodOf(subscription: Subscription | null, at: Date): Period {
  const paid = subscription?.periodAt(at)
  if (paid) return { periodStart: paid.start, resetAt: paid.end }
  const month = (ahead: number) => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + ahead, 1))
  return { periodStart: month(0), resetAt: month(1) }
}
