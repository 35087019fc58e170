import { DecisionLog } from '../audit/index.ts'
import type { ScopedEntityManager } from '../orm/index.ts'
import type { Condition } from './event-rows.ts'
import { eventsOf, type HistoryEntry, type Subject, subjectOf } from './history.ts'
import { readEvents } from './read-events.ts'
import { changesIn } from './told-changes.ts'
import { touching } from './touching.ts'

/** The way back from a value: the change that gave it, the decision that the change carried out, who approved that, in which request. */
export interface Explanation {
  readonly change: HistoryEntry
  readonly decision?: DecisionLog
  readonly approval?: DecisionLog
  /** Decisions that the decision stands in place of, the latest first. */
  readonly overrides: readonly DecisionLog[]
  readonly actor: { readonly type: string; readonly id: string }
  readonly requestId?: string
  readonly correlationId?: string
  readonly reason?: string
}

/** Why a property has the value that it has; undefined where the log never saw it change. */
export async function why(em: ScopedEntityManager, subject: Subject, property: string): Promise<Explanation | undefined> {
  const { meta, id } = subjectOf(em, subject)
  const gaveIt = [...eventsOf(em, meta, id), ['kind = ?', 'activity'] as const, touching(property, meta, 'creations')]
  const [event] = await readEvents(em, gaveIt, { newestFirst: true, limit: 1 })
  if (!event) return undefined
  const decision = event.decisionId ? await decisionWith(em, ['id = ?', event.decisionId]) : undefined
  const approval = decision && (await decisionWith(em, ['causation_id = ? and type = ?', decision.id, 'decision.approved']))
  return {
    change: { event, changes: changesIn(event, meta) },
    ...(decision && { decision }),
    ...(approval && { approval }),
    overrides: await overriddenBy(em, decision),
    actor: { type: event.actorType, id: event.actorId },
    ...(event.requestId && { requestId: event.requestId }),
    ...(event.correlationId && { correlationId: event.correlationId }),
    ...(event.reason && { reason: event.reason }),
  }
}

async function decisionWith(em: ScopedEntityManager, where: Condition): Promise<DecisionLog | undefined> {
  const [found] = await readEvents(em, [where, ['kind = ?', 'decision']], { as: DecisionLog, limit: 1 })
  return found
}

async function overriddenBy(em: ScopedEntityManager, decision: DecisionLog | undefined): Promise<DecisionLog[]> {
  const found: DecisionLog[] = []
  let current = decision
  while (current?.type === 'decision.overrode' && current.causationId) {
    current = await decisionWith(em, ['id = ?', current.causationId])
    if (current) found.push(current)
  }
  return found
}
