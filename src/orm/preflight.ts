import type { MetadataStorage } from '@mikro-orm/core'
import { type Daybook, runUnlogged } from './daybook.ts'
import { isTenantOwned, privateColumnOf } from './declaration.ts'
import { tablesOf } from './discovery.ts'
import { DatabaseNotMigratedError, IsolationBrokenError } from './orm.errors.ts'
import { operatorRole, type RunSql } from './roles.ts'
import { privatePolicyName } from './tenant-policy.ts'

/**
 * What must hold in the database before a process may serve requests (I4), read from the catalogue as the very role that serves: the
 * role can't bypass isolation, and every table has the policies, the guards and the unique indexes that its entity declares.
 */
export async function isolationProblems(run: RunSql, metadata: MetadataStorage): Promise<string[]> {
  const [role] = await run(roleSql)
  const tables = new Map((await run(tableSql)).map(row => [String(row.name), row as unknown as TableState]))
  return [
    ...roleProblems(role as unknown as RoleState),
    ...tablesOf(metadata).flatMap(meta => {
      const table = tables.get(meta.tableName)
      if (!table) return [`table ${meta.tableName} is missing: run \`npx mikro-orm migration:up\``]
      return [
        ...policyProblems(meta, table),
        ...triggerProblems(meta, table),
        ...(isTenantOwned(meta) ? [...tenantProblems(meta, table), ...privacyProblems(meta, table)] : []),
      ]
    }),
  ]
}

/** For whoever serves, before it does: asked as the role that serves, or as `run` asks. */
export async function refuseBrokenIsolation(daybook: Daybook, run: RunSql = runUnlogged(daybook)): Promise<void> {
  const metadata = daybook.orm.getMetadata()
  const there = new Set(
    (await run(`select relname::text as name from pg_class where relnamespace = 'public'::regnamespace`)).map(({ name }) => name),
  )
  // Each table would be a problem of its own, and none of them the one there is.
  if (!tablesOf(metadata).some(({ tableName }) => there.has(tableName))) throw new DatabaseNotMigratedError('every table of the model')
  const problems = await isolationProblems(run, metadata)
  if (problems.length > 0) throw new IsolationBrokenError(problems)
}

interface RoleState {
  readonly name: string
  readonly superuser: boolean
  readonly bypass: boolean
  readonly owned: string[]
  readonly above: string[]
}

interface TableState {
  readonly enabled: boolean
  readonly forced: boolean
  readonly policies: PolicyState[]
  readonly triggers: { readonly name: string; readonly enabled: string; readonly definition: string }[]
  readonly uniques: { readonly name: string; readonly first: string | null }[]
}

interface PolicyState {
  readonly name: string
  readonly permissive: boolean
  readonly forAll: boolean
  readonly using: string | null
  readonly check: string | null
}

type Meta = ReturnType<typeof tablesOf>[number]

const fix = 'Connect as daybook_app (DATABASE_URL), and keep the owner for migrations (DIRECT_URL).'

function roleProblems(role: RoleState): string[] {
  const problems: string[] = []
  if (role.superuser) problems.push(`role ${role.name} is a superuser, which no policy binds. ${fix}`)
  if (role.bypass)
    problems.push(`role ${role.name} has BYPASSRLS. ${fix}${mayLoseIt(role) ? ` Or: alter role ${role.name} nobypassrls` : ''}`)
  if (role.owned.length > 0)
    problems.push(`role ${role.name} owns ${role.owned.slice(0, 3).join(', ')}, and an owner may switch policies off. ${fix}`)
  if (role.above.length > 0)
    problems.push(`role ${role.name} may become ${role.above.join(', ')}, which policies don’t bind. Revoke that membership.`)
  return problems
}

/** A superuser would keep what it can do, and the operator's own work needs it. */
function mayLoseIt({ name, superuser }: RoleState): boolean {
  return !superuser && name !== operatorRole
}

function policyProblems(meta: Meta, table: TableState): string[] {
  if (meta.policies.length === 0) return []
  const problems: string[] = []
  const repair = 'Compare with `npx mikro-orm migration:check`.'
  if (!table.enabled) problems.push(`table ${meta.tableName} has row level security switched off. ${repair}`)
  if (!table.forced) problems.push(`table ${meta.tableName} doesn’t force row level security on its owner. ${repair}`)
  const declared = meta.policies.map(policy => policy.name!)
  const present = table.policies.map(policy => policy.name)
  for (const name of declared) if (!present.includes(name)) problems.push(`table ${meta.tableName} lacks its policy "${name}". ${repair}`)
  for (const name of present)
    if (!declared.includes(name)) problems.push(`table ${meta.tableName} has a policy "${name}" that its entity doesn’t declare. ${repair}`)
  return problems
}

function tenantProblems(meta: Meta, table: TableState): string[] {
  const problems: string[] = []
  const permissive = table.policies.filter(policy => policy.permissive)
  if (permissive.length > 1)
    problems.push(`table ${meta.tableName} has ${permissive.length} permissive policies, and PostgreSQL or-s them.`)
  for (const policy of permissive) {
    for (const [clause, sql] of Object.entries({ using: policy.using, check: policy.check })) {
      if (sql !== tenantComparison)
        problems.push(
          `policy "${policy.name}" of table ${meta.tableName} doesn’t compare the tenant in its ${clause} clause: ${sql ?? 'nothing'}.`,
        )
    }
  }
  for (const index of table.uniques.filter(({ first }) => first !== 'tenant_id')) {
    problems.push(
      `unique index ${index.name} of table ${meta.tableName} doesn’t start with tenant_id, so it tells one tenant what another has.`,
    )
  }
  return problems
}

/** What is one person's is so only as long as its policy narrows, and by that person. */
function privacyProblems(meta: Meta, table: TableState): string[] {
  const column = privateColumnOf(meta)
  const policy = table.policies.find(({ name }) => name === privatePolicyName)
  if (column === undefined || !policy) return []
  const expected = ownRowComparison(column)
  const narrows = !policy.permissive && policy.forAll && policy.using === expected && policy.check === expected
  if (narrows) return []
  return [
    `policy "${policy.name}" of table ${meta.tableName} doesn’t keep a person’s rows from others. Compare with \`npx mikro-orm migration:check\`.`,
  ]
}

/** Guards keep references inside the tenant; sentinels tell the log what bypasses the unit of work. */
function triggerProblems(meta: Meta, table: TableState): string[] {
  const declared = [...meta.triggers]
  if (declared.some(({ name }) => name === 'audit_insert')) declared.push({ name: truncateGuard, timing: 'before', events: ['truncate'] })
  return declared.flatMap(({ name, expression }) => {
    const purpose = name?.startsWith('guard_')
      ? 'keeps references inside the tenant'
      : name?.startsWith('audit_')
        ? 'tells the log what was written'
        : undefined
    if (!purpose) return []
    const found = table.triggers.find(trigger => trigger.name === name)
    if (!found)
      return [`table ${meta.tableName} lacks its trigger "${name}", which ${purpose}. Compare with \`npx mikro-orm migration:check\`.`]
    const isOff = found.enabled === 'D' || found.enabled === 'R'
    if (isOff) return [`trigger "${name}" of table ${meta.tableName}, which ${purpose}, is disabled.`]
    // The ORM's schema knows triggers by their names, so a migration that follows a change of the declaration isn't made by itself.
    const present = listsIn(found.definition)
    const lacking = listsIn(expression ?? '').flatMap((columns, place) => columns.filter(column => !present[place]?.includes(column)))
    if (lacking.length === 0) return []
    return [
      `trigger "${name}" of table ${meta.tableName}, which ${purpose}, knows nothing of ${lacking.join(', ')}, as its entity declares now. ` +
        `Drop it in a migration and make it anew: ${expression}`,
    ]
  })
}

/**
 * The columns that a trigger gives its function: of a sentinel those that are never told and those that tell of a person, of other guards all.
 * One that knows of more than is declared is of a later version, beside which this one still runs.
 */
function listsIn(definition: string): string[][] {
  const given = /\(('[^()]*')\);?$/.exec(definition)?.[1]
  if (given === undefined) return []
  const lists = [...given.matchAll(/'\{([^}]*)\}'/g)].map(([, list]) => list!)
  return (lists.length > 0 ? lists : [given.replaceAll("'", '')]).map(list => list.split(/, ?/).filter(Boolean))
}

/** How PostgreSQL writes the tenant policy's expression down. */
const tenantComparison = `(tenant_id = (NULLIF(current_setting('daybook.tenant_id'::text, true), ''::text))::uuid)`

const currentUser = `(NULLIF(current_setting('daybook.user_id'::text, true), ''::text))::uuid`
const ownRowComparison = (column: string) => `((${currentUser} IS NULL) OR (${column} = ${currentUser}))`

/** Stands where sentinels stand; made by the migrator, because the ORM's schema doesn't know triggers of TRUNCATE. */
export const truncateGuard = 'audit_truncate'

const roleSql = `
  select r.rolname::text as name, r.rolsuper as superuser, r.rolbypassrls as bypass,
    array(select c.relname::text from pg_class c where c.relowner = r.oid and c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace order by 1) as owned,
    array(select a.rolname::text from pg_roles a
      where a.oid <> r.oid and pg_has_role(r.oid, a.oid, 'member')
        and (a.rolsuper or a.rolbypassrls or exists (select from pg_class c where c.relowner = a.oid and c.relnamespace = 'public'::regnamespace)) order by 1) as above
  from pg_roles r where r.rolname = current_user`

const tableSql = `
  select c.relname::text as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
    coalesce((select json_agg(json_build_object('name', p.polname, 'permissive', p.polpermissive,
      'forAll', p.polcmd = '*' and p.polroles = '{0}',
      'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid))) from pg_policy p where p.polrelid = c.oid), '[]') as policies,
    coalesce((select json_agg(json_build_object('name', t.tgname, 'enabled', t.tgenabled, 'definition', pg_get_triggerdef(t.oid))) from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal), '[]') as triggers,
    coalesce((select json_agg(json_build_object('name', i.indexrelid::regclass::text, 'first', a.attname))
      from pg_index i left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
      where i.indrelid = c.oid and i.indisunique and not i.indisprimary), '[]') as uniques
  from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace`
