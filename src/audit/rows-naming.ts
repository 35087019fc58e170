import { asSeen } from '../kernel/seen-text.ts'
import { type ScopedEntityManager, tablesOf } from '../orm/index.ts'
import { auditedTableOf } from './audited-table.ts'

/** A row that is a person to the log: what it tells of them stands under the row's own id. */
export interface RowNaming {
  /** In the words of the log. */
  readonly entity: string
  readonly id: string
}

/**
 * The rows that are a person to the log and hold this text, an e-mail address say, where they tell of them; also where it is written so that it
 * only looks like it, with a character that nobody sees. Somebody who is invited, or is a prospect, is known by such a row, and one person may be
 * several. Reads whole tables, and finds none that was deleted.
 */
export async function rowsNaming(em: ScopedEntityManager, text: string): Promise<RowNaming[]> {
  const wanted = asSeen(text)
  const found: RowNaming[] = []
  for (const meta of tablesOf(em.getMetadata())) {
    const table = auditedTableOf(meta)
    if (!table || table.personal.length === 0 || table.personColumn !== 'id') continue
    const values = await em.execute<{ id: string; value: string }[]>(valuesSql(meta.tableName, table.personal), [text, wanted])
    const ids = new Set(values.filter(({ value }) => asSeen(value) === wanted).map(({ id }) => id))
    found.push(...[...ids].map(id => ({ entity: table.entity, id })))
  }
  return found
}

/**
 * The texts that may be the one that is looked for, each a value of its own at any depth of a document, never a part of another: those that are,
 * and addresses that aren't plainly another, for what looks alike only JavaScript knows the same everywhere. None is longer, however it is written.
 */
function valuesSql(table: string, personal: readonly string[]): string {
  const documents = personal.map(column => `to_jsonb(t."${column}")`).join(', ')
  return `select id, value from (
      select t.id, told #>> '{}' as value from "${table}" t, unnest(array[${documents}]) as document, jsonb_path_query(document, '$.**') as told
        where jsonb_typeof(told) = 'string') as texts
    where value in (?, ?) or (value ~ '@' and value ~ '[^[-~!-@]' and length(value) <= 1000) order by id`
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
