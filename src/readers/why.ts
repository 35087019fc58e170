import { raw } from '@mikro-orm/core'
import { AuditEvent, DecisionLog } from '../audit/index.ts'
import type { ScopedEntityManager } from '../orm/index.ts'
import { eventsOf, type HistoryEntry, type Subject, subjectOf } from './history.ts'
import { openEvents } from './opened.ts'
import { changesIn, columnOf } from './told-changes.ts'

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
  const column = columnOf(property, meta)
  const [event] = await em.find(
    AuditEvent,
    {
      $and: [{ ...eventsOf(em, meta, id), kind: 'activity' }, { [raw(gave, [column, `${column}.`, column, column.split('.')[0]])]: true }],
    },
    { orderBy: { seq: 'desc' }, limit: 1, disableIdentityMap: true },
  )
  if (!event) return undefined
  await openEvents(em, [event])
  const decision = event.decisionId ? await decisionWith(em, { id: event.decisionId }) : undefined
  const approval = decision && (await decisionWith(em, { causationId: decision.id, type: 'decision.approved' }))
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

/** An update of the column, of a path in it or of a document that holds the path; or the creation. */
const gave = `(exists (select from unnest(changed) as c where c = ? or starts_with(c, ?) or starts_with(?, c || '.')) or (before is null and changed is null and after->>? is not null))`

async function decisionWith(
  em: ScopedEntityManager,
  where: { id: string } | { causationId: string; type: string },
): Promise<DecisionLog | undefined> {
  return (await em.findOne(DecisionLog, where, { disableIdentityMap: true })) ?? undefined
}

async function overriddenBy(em: ScopedEntityManager, decision: DecisionLog | undefined): Promise<DecisionLog[]> {
  const found: DecisionLog[] = []
  let current = decision
  while (current?.type === 'decision.overrode' && current.causationId) {
    current = await decisionWith(em, { id: current.causationId })
    if (current) found.push(current)
  }
  return found
}
