import { DecisionLog, endings } from '../audit/index.ts'
import type { ScopedEntityManager } from '../orm/index.ts'
import { readEvents } from './read-events.ts'

/** Decisions that wait for somebody, the oldest first. */
export function pendingDecisions(em: ScopedEntityManager, { limit }: { readonly limit?: number } = {}): Promise<readonly DecisionLog[]> {
  const ended = `select from decision_log e where e.causation_id = audit_event.id::text and e.type in (${endings.map(() => '?').join(', ')})`
  const waiting = [['kind = ? and type = ?', 'decision', 'decision.proposed'] as const, [`not exists (${ended})`, ...endings] as const]
  return readEvents(em, waiting, { as: DecisionLog, limit })
}
