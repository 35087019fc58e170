import type { EntityMetadata } from '@mikro-orm/core'
import { auditedTableOf, exactJson } from '../audit/index.ts'
import type { ScopedEntityManager } from '../orm/index.ts'
import { type Cut, withinCut } from './cut.ts'
import { foldSql } from './folded-table.ts'
import { marksIn, openerFor, openSide, personalNames } from './opened.ts'

/** What the log makes of one row within a cut: its columns in today's shape and readable, its relations as ids; undefined where it wasn't there. */
export async function foldedRow(
  em: ScopedEntityManager,
  meta: EntityMetadata,
  id: string,
  cut: Cut,
): Promise<Record<string, unknown> | undefined> {
  const { entity } = auditedTableOf(meta)!
  const [row] = await em.execute<{ log: string; state: string | null }[]>(
    `select (${foldSql(meta)})::text as state, min(e.tenant_id::text) as log from audit_event e where e.entity = ? and e.entity_id = ? and ${withinCut(cut)}`,
    [entity, id],
  )
  const state = exactJson(row?.state ?? null)
  if (!state) return undefined
  const names = personalNames(em.getMetadata()).get(entity)
  if (names) {
    const opener = openerFor(em)
    await opener.prepare(marksIn(row!.log, state, names))
    openSide(row!.log, state, names, opener)
  }
  return state
}
