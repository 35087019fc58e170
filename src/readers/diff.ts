import { differencesBetween } from '../audit/index.ts'
import { privateColumnOf, type ScopedEntityManager } from '../orm/index.ts'
import { cutAt, type When } from './cut.ts'
import { eventRows } from './event-rows.ts'
import { foldedRow } from './folded-row.ts'
import { eventsOf, type Subject, subjectOf } from './history.ts'
import { type PropertyChange, propertyOf } from './told-changes.ts'

/** How an entity differs between two moments; a moment at which it wasn't there counts as nothing. */
export async function diff(em: ScopedEntityManager, subject: Subject, from: When, to: When): Promise<PropertyChange[]> {
  const { meta, id } = subjectOf(em, subject)
  if (privateColumnOf(meta) !== undefined && (await eventRows(em, eventsOf(em, meta, id), { limit: 1 })).length === 0) return []
  const at = async (when: When) => (await foldedRow(em, meta, id, await cutAt(when, sql => em.execute(sql)))) ?? {}
  const [before, after] = [await at(from), await at(to)]
  const columns = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return columns
    .flatMap(column => [...differencesBetween(column, before[column], after[column])])
    .map(({ path, ...sides }) => ({ property: propertyOf(path, meta), before: sides.before ?? null, after: sides.after ?? null }))
    .filter(change => change.before !== change.after)
}
