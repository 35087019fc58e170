import type { MetadataStorage } from '@mikro-orm/core'
import { randomUUID } from 'node:crypto'
import { auditedTableOf, keyringOf, Opener } from '../audit/index.ts'
import { oncePer } from '../kernel/once-per.ts'
import { type Lens, ownsPivot, type RunSql, type ScopedEntityManager, tablesOf } from '../orm/index.ts'
import { type Cut, cutAt, type When, withinCut } from './cut.ts'
import { openRows } from './opened.ts'
import { foldedPivotSql, pastRowsSql } from './folded-table.ts'
import { SchemaNamedError } from './readers.errors.ts'

/**
 * An EntityManager over the past: `find`, `findOne`, `count` and `populate` as they were then, by an instant or right after an event.
 *
 * Every statement gets a common table expression in front for each audited table that it names, in which the table's rows are folded from
 * the log; PostgreSQL looks there before it looks at tables. So whatever the ORM can ask of the present it can ask of the past, joins and
 * relations included. Tables that aren't audited show the present, and so do rows whose log is somebody else's: other people. What tells of a
 * person is opened once it has been read, so nothing can be found or ordered by it.
 */
export function asOf(em: ScopedEntityManager, when: When): ScopedEntityManager {
  let cut: Promise<Cut> | undefined
  return through(em, run => (cut ??= cutAt(when, run)))
}

/** The same where the log has been cut already. */
export function throughCut(em: ScopedEntityManager, cut: Cut): ScopedEntityManager {
  return through(em, () => Promise.resolve(cut))
}

function through(em: ScopedEntityManager, cutFor: (run: RunSql) => Promise<Cut>): ScopedEntityManager {
  const metadata = em.getMetadata()
  // Unknown to everybody who could have written something, so what begins with it is a mark that the fold has found.
  const prefix = `${randomUUID()} `
  const lens: Lens = {
    async rewrite(sql, run) {
      refuseSchemas(metadata, sql)
      const cut = await cutFor(run)
      const [, recursive = ''] = /^with\s+(recursive\b)?/i.exec(sql) ?? []
      return `with ${recursive} ${pastTables(metadata, sql, cut, prefix)} ${sql.replace(/^with\s+(recursive\b)?/i, ', ')}`
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
  return [nothing, ...expressions].join(', ')
}

/** What is named with its schema is looked for among tables alone, and would show the present amid the past. */
function refuseSchemas(metadata: MetadataStorage, sql: string): void {
  const words = sql.replaceAll(/'(?:[^']|'')*'/g, `''`)
  const named = foldedTables(metadata).find(({ name, schema }) =>
    new RegExp(`(?<!\\w)${schema}"?\\s*\\.\\s*"?${name}(?!\\w)`, 'i').test(words),
  )
  if (named) throw new SchemaNamedError(`${named.schema}.${named.name}`)
}

interface FoldedTable {
  readonly name: string
  readonly schema: string
  readonly select: (where: string, prefix: string) => string
}

const foldedTables = oncePer((metadata: MetadataStorage): readonly FoldedTable[] => {
  const audited = tablesOf(metadata).filter(meta => auditedTableOf(meta))
  return audited.flatMap(meta => [
    { name: meta.tableName, schema: meta.schema ?? 'public', select: (where: string, prefix: string) => pastRowsSql(meta, where, prefix) },
    ...meta.relations.filter(ownsPivot).flatMap(relation => {
      const pivot = metadata.find(relation.pivotEntity)!
      const { pivotTable, tableName: name, schema = 'public' } = pivot
      return pivotTable ? [{ name, schema, select: (where: string) => foldedPivotSql(meta, relation, pivot, where) }] : []
    }),
  ])
})

function mentions(sql: string, table: string): boolean {
  return new RegExp(`(?<![\\w])${table}(?![\\w])`, 'i').test(sql)
}
