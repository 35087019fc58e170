import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { EntityMetadata, EntityProperty } from '@mikro-orm/core'
import { auditedTableOf, erased } from '../audit/index.ts'
import { ownsPivot, placeOf, type RunSql, type ScopedEntityManager, tablesOf } from '../orm/index.ts'
import { columnsOf, foldedPivotSql, foldedTableSql } from './folded-table.ts'
import { openerFor, openRows } from './opened.ts'

/** Where the log and a table disagree about one row. */
export interface ReplayProblem {
  readonly table: string
  readonly row: string
  /** What folding the events gives; undefined where the log knows no such row. */
  readonly folded?: unknown
  readonly actual?: unknown
}

/** Folds the whole log and compares it with every audited table, field for field, as far as the connection's role and scope can see. */
export async function replayProblems(em: ScopedEntityManager): Promise<ReplayProblem[]> {
  const metadata = em.getMetadata()
  const run: RunSql = sql => em.execute(sql)
  const problems: ReplayProblem[] = []
  for (const meta of tablesOf(metadata)) {
    const audited = auditedTableOf(meta)
    if (!audited) continue
    const untold = [...audited.secret, ...audited.personal].map(column => ` - '${column}'`).join('')
    const columns = columnsOf(meta).map(column => `t."${column}"`)
    problems.push(
      ...(await compare(
        run,
        meta.tableName,
        foldedTableSql(meta),
        `select ${columns.join(', ')} from "${meta.tableName}" t`,
        `->>'id'`,
        untold,
      )),
    )
    if (audited.personal.length > 0) problems.push(...(await comparePersonal(em, meta, audited.personal)))
    for (const relation of meta.relations.filter(ownsPivot)) {
      const pivot = metadata.find(relation.pivotEntity)!
      if (!pivot.pivotTable) continue
      const live = `select tenant_id, "${relation.joinColumns[0]}", "${relation.inverseJoinColumns[0]}"${orderSql(relation, pivot)} from "${pivot.tableName}"`
      problems.push(...(await compare(run, pivot.tableName, foldedPivotSql(meta, relation, pivot), live, '::text', '')))
    }
  }
  return problems
}

/** What tells of a person can't be compared before it is opened. What is erased from the log may still stand in the table. */
async function comparePersonal(em: ScopedEntityManager, meta: EntityMetadata, personal: readonly string[]): Promise<ReplayProblem[]> {
  const columns = ['id', ...personal.map(column => `"${column}"`)].join(', ')
  const prefix = `${randomUUID()} `
  const folded = await em.execute<PersonalRow[]>(`select ${columns} from (${foldedTableSql(meta, 'true', prefix)}) f`)
  const actual = new Map((await em.execute<PersonalRow[]>(`select ${columns} from "${meta.tableName}"`)).map(row => [row.id, row]))
  const opened = await openRows(folded, prefix, openerFor(em))
  return opened.flatMap(row =>
    personal
      .filter(column => row[column] !== erased && !isDeepStrictEqual(row[column], actual.get(row.id)?.[column]))
      .map(column => ({ table: meta.tableName, row: row.id, folded: row[column], actual: actual.get(row.id)?.[column] })),
  )
}

type PersonalRow = { readonly id: string } & Record<string, unknown>

/** Places are numbers of a sequence in the table and positions in the log: what counts is their order. */
function orderSql(relation: EntityProperty, pivot: EntityMetadata): string {
  const column = placeOf(relation, pivot)?.fieldNames[0]
  if (!column) return ''
  return `, row_number() over (partition by "${relation.joinColumns[0]}" order by "${column}") as "${column}"`
}

async function compare(run: RunSql, table: string, folded: string, live: string, key: string, untold: string): Promise<ReplayProblem[]> {
  const rows = await run(
    `select coalesce(f.row${key}, a.row${key}) as row, f.row as folded, a.row as actual
       from (select to_jsonb(x)${untold} as row from (${folded}) x) f
       full join (select to_jsonb(x)${untold} as row from (${live}) x) a on f.row${key} = a.row${key}
       where f.row is distinct from a.row order by 1 limit 20`,
  )
  return rows.map(({ row, folded: told, actual }) => ({
    table,
    row: String(row),
    ...(told !== null && { folded: told }),
    ...(actual !== null && { actual }),
  }))
}
