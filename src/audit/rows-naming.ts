import { type ScopedEntityManager, tablesOf } from '../orm/index.ts'
import { auditedTableOf } from './audited-table.ts'

/** A row that is a person to the log: what it tells of them stands under the row's own id. */
export interface RowNaming {
  /** In the words of the log. */
  readonly entity: string
  readonly id: string
}

/**
 * The rows that are a person to the log and hold this text, an e-mail address say, where they tell of them. Somebody who is invited, or is a
 * prospect, is known by such a row, and one person may be several. Reads whole tables, and finds none that was deleted.
 */
export async function rowsNaming(em: ScopedEntityManager, text: string): Promise<RowNaming[]> {
  const found: RowNaming[] = []
  for (const meta of tablesOf(em.getMetadata())) {
    const table = auditedTableOf(meta)
    if (!table || table.personal.length === 0 || table.personColumn !== 'id') continue
    // As a value of its own at any depth of a document, never as a part of another text.
    const holds = table.personal.map(column => `jsonb_path_match(to_jsonb(t."${column}"), '$.** == $text', v.vars)`)
    const rows = await em.execute<{ id: string }[]>(
      `select t.id from "${meta.tableName}" t, (select jsonb_build_object('text', ?::text) as vars) v where ${holds.join(' or ')} order by t.id`,
      [text],
    )
    found.push(...rows.map(({ id }) => ({ entity: table.entity, id })))
  }
  return found
}

/** Whether a log that this scope sees tells anything under this person's key, or beside it. */
export async function isTold(em: ScopedEntityManager, person: string): Promise<boolean> {
  const [row] = await em.execute<{ told: boolean }[]>(
    `select exists (select from audit_person_key where person_id = ? and sealed_key is not null)
       or exists (select from audit_personal where person_id = ?) as told`,
    [person, person],
  )
  return row!.told
}
