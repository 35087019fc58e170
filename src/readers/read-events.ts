import { AuditEvent, exactJson } from '../audit/index.ts'
import type { ScopedEntityManager } from '../orm/index.ts'
import { changedIn, type Condition, type EventRow, eventRows, type RowsWanted } from './event-rows.ts'
import { openEvents } from './opened.ts'

/** Events of the log, with what they tell of people readable. Those of one kind may be of its class. */
export async function readEvents(
  em: ScopedEntityManager,
  where: readonly Condition[],
  { as = AuditEvent, ...wanted }: RowsWanted & { readonly as?: typeof AuditEvent } = {},
): Promise<readonly AuditEvent[]> {
  return openEvents(
    em,
    (await eventRows(em, where, wanted)).map(row => eventIn(row, as)),
  )
}

/**
 * As the ORM gives one, but unmanaged. A literal with its prototype passes by the prototype's setters, which are there to notice changes and
 * take twenty times as long: an event never changes.
 */
function eventIn(row: EventRow, type: typeof AuditEvent): AuditEvent {
  const after = exactJson(row.after)
  const event = {
    __proto__: type.prototype,
    ...row,
    seq: Number(row.seq),
    recordedAt: new Date(row.recordedAt),
    before: exactJson(row.before),
    after,
    changed: changedIn(row, () => after),
  }
  return event
}
