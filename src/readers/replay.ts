import type { MetadataStorage } from '@mikro-orm/core'
import { auditedTableOf } from '../audit/index.ts'
import { ownsPivot, type RunSql, tablesOf } from '../orm/index.ts'
import { columnsOf, foldedPivotSql, foldedTableSql } from './folded-table.ts'

/** Where the log and a table disagree about one row. */
export interface ReplayProblem {
  readonly table: string
  readonly row: string
  /** What folding the events gives; undefined where the log knows no such row. */
  readonly folded?: unknown
  readonly actual?: unknown
}

/** Folds the whole log and compares it with every audited table, field for field, as far as the connection's role and scope can see. */
export async function replayProblems(run: RunSql, metadata: MetadataStorage): Promise<ReplayProblem[]> {
  const problems: ReplayProblem[] = []
  for (const meta of tablesOf(metadata)) {
    const audited = auditedTableOf(meta)
    if (!audited) continue
    const untold = audited.secret.map(column => ` - '${column}'`).join('')
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
    for (const relation of meta.relations.filter(ownsPivot)) {
      const pivot = metadata.find(relation.pivotEntity)!
      if (!pivot.pivotTable) continue
      const live = `select tenant_id, "${relation.joinColumns[0]}", "${relation.inverseJoinColumns[0]}"${orderSql(relation, pivot)} from "${pivot.tableName}"`
      problems.push(...(await compare(run, pivot.tableName, foldedPivotSql(meta, relation, pivot), live, '::text', '')))
    }
  }
  return problems
}

/** Places are numbers of a sequence in the table and positions in the log: what counts is their order. */
function orderSql(
  relation: { fixedOrder?: boolean; joinColumns: string[] },
  pivot: { getPrimaryProps(): { kind: string; fieldNames: string[] }[] },
): string {
  if (!relation.fixedOrder) return ''
  const column = pivot.getPrimaryProps().find(({ kind }) => kind === 'scalar')!.fieldNames[0]!
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
