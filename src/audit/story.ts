import { type ScopedEntityManager, type Unsent, unsentOf } from '../orm/index.ts'
import { EventBuffer } from './event-buffer.ts'

/** Because of what something is done; both travel to every event of the work, whoever writes it. */
export interface Because {
  /** The decision that it carries out. */
  readonly decision?: string
  /** The event that it answers. */
  readonly causation?: string
}

export const decisionVariable = 'daybook.decision_id'
export const causationVariable = 'daybook.causation_id'

/** Does the work and flushes it, in the transaction at hand, so that its changes say because of what they were made. */
export async function because<T>(em: ScopedEntityManager, reasons: Because, work: () => Promise<T>): Promise<T> {
  await em.flush()
  const unsent = await unsentOf(em.getTransactionContext<object>()!)
  const before = [unsent.get(decisionVariable), unsent.get(causationVariable) || (em.boundScope?.causationId ?? '')] as const
  if (reasons.decision) unsent.set(decisionVariable, reasons.decision)
  if (reasons.causation) unsent.set(causationVariable, reasons.causation)
  try {
    const result = await work()
    await em.flush()
    return result
  } finally {
    unsent.set(decisionVariable, before[0])
    unsent.set(causationVariable, before[1])
  }
}

/** The events that a transaction has yet to write. */
export function bufferOf(unsent: Unsent): EventBuffer {
  unsent.outbox ??= new EventBuffer()
  return unsent.outbox as EventBuffer
}

/** Runs in the transaction at hand, or in one of its own. */
export function inTransaction<T>(em: ScopedEntityManager, work: (em: ScopedEntityManager) => Promise<T>): Promise<T> {
  return em.isInTransaction() ? work(em) : em.transactional(inner => work(inner))
}
