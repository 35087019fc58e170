import { RoleMissingError } from './orm.errors.ts'

/** Owns and migrates. */
export const ownerRole = 'daybook_owner'
/** Serves requests: owns nothing, bypasses nothing. */
export const appRole = 'daybook_app'
/** Platform work across tenants; a credential of its own. */
export const operatorRole = 'daybook_operator'
/** Owns the few functions that look across tenants on a person's behalf. Nobody can log in as it. */
export const directoryRole = 'daybook_directory'

export type RunSql = (sql: string) => Promise<readonly Record<string, unknown>[]>

export interface RolePasswords {
  readonly [role: string]: string | undefined
}

/**
 * Makes the roles that are missing, once per server, and lets the owner work in this database. Runs on the first connection of whoever
 * migrates; when that role may not create roles, it says what an administrator has to run.
 */
export async function prepareRoles(run: RunSql, passwords: RolePasswords = {}): Promise<void> {
  const [state] = await run(stateSql)
  const missing = [...createRoles(state!, passwords), ...letOwnerWork(state!)]
  for (const sql of missing) {
    await run(sql).catch((error: unknown) => {
      // Another process made the same role in the same moment: that is what we wanted.
      if (['42710', '23505'].includes((error as { code?: string }).code ?? '')) return
      throw new RoleMissingError(String(state!.me), missing.map(withoutPassword), { cause: error })
    })
  }
  if (missing.length === 0) return
  // A grant by somebody who may not give it is only a warning.
  const [after] = await run(stateSql)
  const refused = letOwnerWork(after!)
  if (refused.length > 0) throw new RoleMissingError(String(state!.me), refused)
}

const stateSql = `
  select current_user as me, current_database() as database,
    (select rolsuper from pg_roles where rolname = current_user) as superuser,
    array(select rolname::text from pg_roles where rolname in ('${ownerRole}', '${appRole}', '${operatorRole}', '${directoryRole}')) as existing,
    has_schema_privilege('public', 'usage') as public_usage,
    has_database_privilege('public', current_database(), 'temporary') as public_temporary,
    case when to_regrole('${ownerRole}') is null then false else pg_has_role(to_regrole('${ownerRole}'), 'member') end as may_be_owner,
    case when to_regrole('${ownerRole}') is null then false else has_schema_privilege(to_regrole('${ownerRole}'), 'public', 'create') end as owner_creates,
    case when to_regrole('${directoryRole}') is null then false else has_schema_privilege(to_regrole('${directoryRole}'), 'public', 'create') end as directory_creates`

function createRoles(state: Record<string, unknown>, passwords: RolePasswords): string[] {
  const existing = state.existing as string[]
  const attributes: Record<string, string> = {
    [ownerRole]: 'login',
    [appRole]: 'login',
    [operatorRole]: 'login bypassrls',
    [directoryRole]: 'nologin bypassrls',
  }
  const missing = Object.entries(attributes).filter(([role]) => !existing.includes(role))
  if (missing.length === 0) return []
  return [
    ...missing.map(([role, words]) => `create role ${role} ${words}${passwordClause(passwords[role])}`),
    // The owner makes the functions that the directory role owns.
    `grant ${directoryRole} to ${ownerRole}`,
  ]
}

function letOwnerWork(state: Record<string, unknown>): string[] {
  const statements: string[] = []
  if (!state.may_be_owner) statements.push(`grant ${ownerRole} to "${String(state.me).replaceAll('"', '""')}"`)
  if (!state.owner_creates || !state.directory_creates) {
    statements.push(
      `grant usage, create on schema public to ${ownerRole}`,
      `grant create on schema public to ${directoryRole}`,
      `grant usage on schema public to ${appRole}, ${operatorRole}, ${directoryRole}`,
    )
  }
  // A temporary table is found before a real one of the same name, so nobody who serves requests may make one.
  if (state.superuser && state.public_temporary) {
    statements.push(`revoke temporary on database "${String(state.database).replaceAll('"', '""')}" from public`)
  }
  return statements
}

function passwordClause(password: string | undefined): string {
  return password ? ` password '${password.replaceAll("'", "''")}'` : ''
}

function withoutPassword(sql: string): string {
  return sql.replace(/ password '.*'$/, " password '…'")
}
