import type { MetadataStorage } from '@mikro-orm/core'
import { randomUUID } from 'node:crypto'
import { auditedTableOf, keyringOf, Opener } from '../audit/index.ts'
import { oncePer } from '../kernel/once-per.ts'
import { type Lens, ownsPivot, type ScopedEntityManager, tablesOf } from '../orm/index.ts'
import { type Cut, cutAt, type When, withinCut } from './cut.ts'
import { openRows } from './opened.ts'
import { foldedPivotSql, foldedTableSql } from './folded-table.ts'

/**
 * An EntityManager over the past: `find`, `findOne`, `count` and `populate` as they were then, by an instant or right after an event.
 *
 * Every statement gets a common table expression in front for each audited table that it names, in which the table's rows are folded from
 * the log; PostgreSQL looks there before it looks at tables. So whatever the ORM can ask of the present it can ask of the past, joins and
 * relations included. Tables that aren't audited show the present. What tells of a person is opened once it has been read, so nothing can be
 * found or ordered by it.
 */
export function asOf(em: ScopedEntityManager, when: When): ScopedEntityManager {
  const metadata = em.getMetadata()
  // Unknown to everybody who could have written something, so what begins with it is a mark that the fold has found.
  const prefix = `${randomUUID()} `
  let cut: Promise<Cut> | undefined
  const lens: Lens = {
    async rewrite(sql, run) {
      cut ??= cutAt(when, run)
      return `${pastTables(metadata, sql, await cut, prefix)}${sql.replace(/^with\b/i, ',')}`
    },
    read: (rows, run) => openRows(rows, prefix, new Opener(keyringOf(em), run)),
  }
  return em.forkThrough(lens)
}

function pastTables(metadata: MetadataStorage, sql: string, cut: Cut, prefix: string): string {
  const where = withinCut(cut)
  const tables = foldedTables(metadata).filter(({ name }) => mentions(sql, name))
  const expressions = tables.map(({ name, select }) => `"${name}" as not materialized (${select(where, prefix)})`)
  const nothing = `daybook_past as (select 1)`
  return `with ${[nothing, ...expressions].join(', ')} `
}

interface FoldedTable {
  readonly name: string
  readonly select: (where: string, prefix: string) => string
}

const foldedTables = oncePer((metadata: MetadataStorage): readonly FoldedTable[] => {
  const audited = tablesOf(metadata).filter(meta => auditedTableOf(meta))
  return audited.flatMap(meta => [
    { name: meta.tableName, select: (where: string, prefix: string) => foldedTableSql(meta, where, prefix) },
    ...meta.relations.filter(ownsPivot).flatMap(relation => {
      const pivot = metadata.find(relation.pivotEntity)!
      return pivot.pivotTable ? [{ name: pivot.tableName, select: (where: string) => foldedPivotSql(meta, relation, pivot, where) }] : []
    }),
  ])
})

function mentions(sql: string, table: string): boolean {
  return new RegExp(`(?<![\\w])${table}(?![\\w])`, 'i').test(sql)
}
