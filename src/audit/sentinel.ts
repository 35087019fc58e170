import type { EntityMetadata, EntityProperty, MetadataStorage, TriggerDef } from '@mikro-orm/core'
import { outsideUnitSql, ownsPivot, placeOf, type RunSql, tablesOf, truncateGuard } from '../orm/index.ts'
import { type AuditedTable, auditedTableOf } from './audited-table.ts'
import { refuseUnrecordable } from './recordable.ts'

/**
 * What no lifecycle hook can see is seen by the database: native operations, bulk statements, Kysely, raw SQL, psql, cascades. Each audited
 * table has three statement triggers that turn transition tables into events. Their WHEN is false while the unit of work vouches for its
 * own statements, so a flush never enters them; what a foreign key's action writes in the middle of one (depth > 0) is seen.
 */
export function addSentinels(storage: MetadataStorage): void {
  for (const meta of tablesOf(storage)) {
    const table = auditedTableOf(meta)
    if (!table) continue
    refuseUnrecordable(meta, table)
    meta.triggers.push(...events.map(event => sentinel(meta, event, 'daybook_record_rows', argumentsFor(meta, table))))
  }
  for (const meta of storage.getAll().values()) {
    for (const relation of meta.relations.filter(ownsPivot)) {
      const pivot = storage.find(relation.pivotEntity)
      if (!pivot?.pivotTable || pivot.triggers.some(({ name }) => name === 'audit_insert') || !auditedTableOf(meta.root)) continue
      const links = linkArguments(meta.root, relation, pivot)
      pivot.triggers.push(...events.map(event => sentinel(pivot, event, 'daybook_record_links', links)))
    }
  }
}

/** TRUNCATE gives a trigger no rows to tell of. The ORM's schema doesn't know such triggers, so they follow the sentinels after each migration. */
export async function refuseTruncating(run: RunSql): Promise<void> {
  const unguarded = await run(
    `select tgrelid::regclass::text as name from pg_trigger seen where tgname = 'audit_insert'
       and not exists (select from pg_trigger t where t.tgrelid = seen.tgrelid and t.tgname = '${truncateGuard}')`,
  )
  for (const { name } of unguarded) {
    await run(
      `create trigger "${truncateGuard}" before truncate on ${name as string} for each statement execute function daybook_refuse_truncate()`,
    )
  }
}

const events = ['insert', 'update', 'delete'] as const

const transitionTables = {
  insert: 'new table as new_rows',
  update: 'old table as old_rows new table as new_rows',
  delete: 'old table as old_rows',
}

function sentinel(meta: EntityMetadata, event: (typeof events)[number], routine: string, values: readonly string[]): TriggerDef {
  const name = `audit_${event}`
  const list = values.map(value => `'${value.replaceAll("'", "''")}'`).join(', ')
  return {
    name,
    timing: 'after',
    events: [event],
    forEach: 'statement',
    expression: `create trigger "${name}" after ${event} on "${meta.tableName}" referencing ${transitionTables[event]} for each statement when (${outsideUnitSql}) execute function ${routine}(${list});`,
  }
}

function argumentsFor(meta: EntityMetadata, table: AuditedTable): string[] {
  // What the database makes from other columns follows from them; the unit of work doesn't tell it either.
  const untold = [...table.secret, ...meta.props.filter(({ generated }) => generated).map(({ fieldNames }) => fieldNames[0]!)]
  const version = table.past.length + 1
  return [
    table.entity,
    table.logColumn,
    table.versionColumn ?? '',
    `{${untold.join(',')}}`,
    ...(version > 1 || table.personal.length > 0 ? [String(version)] : []),
    ...(table.personal.length > 0 ? [`{${table.personal.join(',')}}`, table.personColumn] : []),
  ]
}

function linkArguments(owner: EntityMetadata, relation: EntityProperty, pivot: EntityMetadata): string[] {
  const order = placeOf(relation, pivot)?.fieldNames[0] ?? ''
  return [auditedTableOf(owner)!.entity, relation.name, relation.joinColumns[0]!, relation.inverseJoinColumns[0]!, order]
}
