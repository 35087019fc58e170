import type { MetadataStorage } from '@mikro-orm/core'
import { declarationOf, type TableAccess } from './declaration.ts'
import { tablesOf } from './discovery.ts'
import { appRole, operatorRole, type RunSql } from './roles.ts'

const verbs: Record<TableAccess, string> = {
  read: 'select',
  append: 'select, insert',
  write: 'select, insert, update, delete',
}

/**
 * Grants what each entity's declaration asks for and takes back the rest, after every migration, so that a table that comes later has
 * its grants too and one that nobody declares has none. TRUNCATE, REFERENCES and TRIGGER are nobody's but the owner's.
 */
export async function grantAccess(run: RunSql, metadata: MetadataStorage, migrationsTable: string): Promise<void> {
  const existing = new Set((await run(`select tablename from pg_tables where schemaname = 'public'`)).map(row => row.tablename))
  for (const meta of tablesOf(metadata)) {
    if (!existing.has(meta.tableName)) continue
    const table = `"${meta.tableName}"`
    await run(`revoke all on ${table} from public, ${appRole}, ${operatorRole}`)
    await run(`grant ${verbs[declarationOf(meta.class)!.access]} on ${table} to ${appRole}, ${operatorRole}`)
    for (const column of meta.props.filter(prop => prop.autoincrement).flatMap(prop => prop.fieldNames)) {
      const [row] = await run(`select pg_get_serial_sequence('${table}', '${column}') as sequence`)
      if (row?.sequence) await run(`grant usage on sequence ${row.sequence as string} to ${appRole}, ${operatorRole}`)
    }
  }
  // Readiness tells whether migrations are pending, so the application may look.
  if (existing.has(migrationsTable)) await run(`grant select on "${migrationsTable}" to ${appRole}, ${operatorRole}`)
}
