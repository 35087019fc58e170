import type { EntityMetadata } from '@mikro-orm/core'
import { auditedTableOf } from '../audit/index.ts'
import { isObject } from '../kernel/is-object.ts'
import { privateColumnOf, type ScopedEntityManager } from '../orm/index.ts'
import { eventRows } from './event-rows.ts'
import { foldSql } from './folded-table.ts'
import { cutAt, type When, withinCut } from './cut.ts'
import { marksIn, openerFor, openSide, personalNames } from './opened.ts'
import { eventsOf, type Subject, subjectOf } from './history.ts'
import { type PropertyChange, propertyOf } from './told-changes.ts'

/** How an entity differs between two moments; a moment at which it wasn't there counts as nothing. */
export async function diff(em: ScopedEntityManager, subject: Subject, from: When, to: When): Promise<PropertyChange[]> {
  const { meta, id } = subjectOf(em, subject)
  if (privateColumnOf(meta) !== undefined && (await eventRows(em, eventsOf(em, meta, id), { limit: 1 })).length === 0) return []
  const [before, after] = [await stateAt(em, meta, id, from), await stateAt(em, meta, id, to)]
  return [...differences('', before, after)].map(({ property, ...values }) => ({ property: propertyOf(property, meta), ...values }))
}

async function stateAt(em: ScopedEntityManager, meta: EntityMetadata, id: string, when: When): Promise<unknown> {
  const cut = await cutAt(when, sql => em.execute(sql))
  const [row] = await em.execute<{ log: string; state: string | null }[]>(
    `select (${foldSql(meta)})::text as state, min(e.tenant_id::text) as log from audit_event e where e.entity = '${auditedTableOf(meta)!.entity}' and e.entity_id = '${id.replaceAll("'", "''")}' and ${withinCut(cut)}`,
  )
  if (!row?.state) return {}
  const state = JSON.parse(row.state) as Record<string, unknown>
  const names = personalNames(em.getMetadata()).get(auditedTableOf(meta)!.entity)
  if (names) {
    const opener = openerFor(em)
    await opener.prepare(marksIn(row.log, state, names))
    openSide(row.log, state, names, opener)
  }
  return state
}

function* differences(path: string, before: unknown, after: unknown): Generator<PropertyChange> {
  if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      yield* differences(path ? `${path}.${key}` : key, before[key], after[key])
    }
  } else if (JSON.stringify(before ?? null) !== JSON.stringify(after ?? null)) {
    yield { property: path, before: before ?? null, after: after ?? null }
  }
}
