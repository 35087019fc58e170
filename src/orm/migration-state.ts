import type { MikroORM } from '@mikro-orm/core'
import type { RunSql } from './roles.ts'

export interface MigrationState {
  readonly pending: readonly string[]
  /** Those that this code doesn't know: the database was migrated by a newer release, or by another application too. */
  readonly unknown: readonly string[]
}

/** By the table alone: the ORM's own question would create that table, which the application's role may not. */
export async function migrationState({ config }: MikroORM, run: RunSql): Promise<MigrationState> {
  const { migrationsList = [], tableName = 'mikro_orm_migrations' } = config.get('migrations')
  const [found] = await run(`select to_regclass('"${tableName}"') is not null as "isThere"`)
  const done = found?.isThere ? (await run(`select name from "${tableName}"`)).map(({ name }) => String(name)) : []
  const known = migrationsList.map(({ name }) => name)
  return { pending: known.filter(name => !done.includes(name)), unknown: done.filter(name => !known.includes(name)) }
}
