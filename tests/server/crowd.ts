import type { EntityMetadata, EntityProperty, MetadataStorage } from '@mikro-orm/core'
import { declarationOf, isTenantOwned, tablesOf } from '../../src/orm/index.ts'

/** What people set up, and of which no organization has a thousand. Every other table of a tenant grows with its work. */
const setUp = new Set(
  (
    'Role RolePermission UserRole UserPermission ApiKey Pipeline PipelineStage TaskTemplate SystemSetting AIProviderConfig OrchestrationAgent ' +
    'Automation WorkflowTrigger WebhookEndpoint IdealCustomerProfile EmailSequence SequenceStep Campaign Project CalendarConnection ' +
    'Subscription QuotaCounter TokenCount OrderSeries NewsletterIssue MarketplaceItem'
  ).split(' '),
)
/** Of these an organization soon has more than of anything else. */
const largest = new Set(['Task', 'Message', 'Prospect', 'UsageEvent'])

/** Jobs go through all organizations, what happens through all triggers, and a checkpoint has a tree: there are none but those that are real. */
const withMeaning = new Set(['Organization', 'WorkflowTrigger', 'WebhookEndpoint', 'AuditCheckpoint'])

const others = 49
/** How much each of the others has in a table that grows: with 2,700 it is 100,000 rows in all, and five million of all of them. */
const rowsOfOthers = Number(process.env.DAYBOOK_CROWD_ROWS ?? 20)
const people = 2_000

export interface Crowd {
  /** To be run by the administrator, in one session. */
  readonly statements: readonly string[]
  /** Tables of which the large tenant has more than a thousand rows. */
  readonly growing: ReadonlySet<string>
}

/**
 * Fills every table by its metadata, with one statement each: one large tenant and 49 smaller ones. References, guards and checks are silent,
 * for planners don't ask whether a row makes sense. What is due is a small share of it: moments are spread over three years from 2026 on, and
 * what a row begins as most have left behind.
 */
export function crowdOf(storage: MetadataStorage, tenant: string): Crowd {
  const { tables, growing } = filled(storage)
  return {
    growing: new Set([...growing, 'app_user', 'session', 'audit_checkpoint', 'ledger_tile']),
    statements: silently([...tables.map(meta => filling(meta, tenant)), logFilling(tenant), ...ledgerFilling, ...analyzing]),
  }
}

/** The same, in which the large tenant came after the planner's statistics were taken: of its rows they say nothing. */
export function newcomerOf(storage: MetadataStorage, tenant: string): Crowd {
  const { tables, growing } = filled(storage)
  const unwatched = tables.map(({ tableName }) => `alter table "${tableName}" set (autovacuum_enabled = off)`)
  const before = tables.map(meta => filling(meta, tenant, 'others'))
  const since = tables.filter(isTenantOwned).map(meta => filling(meta, tenant, 'large'))
  return { growing, statements: silently([...unwatched, ...before, ...analyzing, ...since]) }
}

/** The tables that a crowd has rows in, and of those the ones that grow with an organization's work. */
function filled(storage: MetadataStorage): { tables: EntityMetadata[]; growing: Set<string> } {
  const tables = tablesOf(storage).filter(meta => {
    const { access, madeByMigration } = declarationOf(meta.class)!
    return access !== 'read' && !madeByMigration && !withMeaning.has(meta.className)
  })
  const growing = tables.filter(meta => !setUp.has(meta.className) && isTenantOwned(meta))
  return { tables, growing: new Set(growing.map(({ tableName }) => tableName)) }
}

/** Without triggers and checks, in one session. */
function silently(statements: readonly string[]): string[] {
  return [
    'set session_replication_role = replica',
    `do $$ declare c record; begin
       for c in select conrelid::regclass as of, conname from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace and coninhcount = 0 loop
         execute format('alter table %s drop constraint %I', c.of, c.conname);
       end loop; end $$`,
    ...statements,
    'set session_replication_role = origin',
  ]
}

const analyzing = ['vacuum analyze']

type Who = 'everybody' | 'large' | 'others'

function filling(meta: EntityMetadata, tenant: string, who: Who = 'everybody'): string {
  const [large, small] = setUp.has(meta.className) ? [5, 5] : largest.has(meta.className) ? [22_000, rowsOfOthers] : [3_500, rowsOfOthers]
  const columns = meta.props.filter(prop => prop.persist !== false && prop.fieldNames?.length === 1 && !prop.generated && isColumn(prop))
  const list = columns.map(({ fieldNames }) => `"${fieldNames[0]}"`).join(', ')
  const moments = columns.filter(({ runtimeType }) => runtimeType === 'Date')
  const values = columns.map(prop => valueOf(meta, prop, moments.indexOf(prop))).join(', ')
  const from = isTenantOwned(meta) ? tenants(tenant, large, small, who) : `(values (null::uuid, ${people}, 'g')) t (tenant, rows, name)`
  // The seven thousandth is no neighbour of the first, so what is near in time isn't near on the disk.
  const rows = `${from}, generate_series(0, t.rows - 1) as i, lateral (select (i * 7919) % t.rows as n) as permuted`
  return `insert into "${meta.tableName}" (${list}) select ${values} from ${rows} on conflict do nothing`
}

function tenants(tenant: string, large: number, small: number, who: Who = 'everybody'): string {
  const theLarge = `select '${tenant}'::uuid, ${large}, 'l'`
  const theOthers = `select md5('tenant:' || o)::uuid, ${small}, 's' || o from generate_series(1, ${others}) o`
  const rows = { everybody: `${theLarge} union all ${theOthers}`, large: theLarge, others: theOthers }[who]
  return `(${rows}) t (tenant, rows, name)`
}

const isColumn = (prop: EntityProperty) => !['1:m', 'm:n'].includes(prop.kind)

/** The id of the row with a number. */
const idOf = (meta: EntityMetadata, row: string) =>
  isTenantOwned(meta) ? `md5('${meta.tableName}:' || t.name || ':' || ${row})::uuid` : `md5('${meta.tableName}:' || ${row})::uuid`

function valueOf(meta: EntityMetadata, prop: EntityProperty, nthMoment: number): string {
  const { name, targetMeta } = prop
  if (name === 'id') return idOf(meta, 'n')
  if (name === 'tenantId') return 't.tenant'
  if (targetMeta) return referenceTo(prop, targetMeta)
  if (prop.items) return chosen(prop)
  const type = prop.columnTypes[0]!.replace(/\(.*/, '')
  if (type.endsWith('[]')) return `'{}'`
  if (type.startsWith('timestamp')) return momentOf(prop, nthMoment)
  const byType: Record<string, string> = {
    uuid: `md5('${name}:' || t.name || n)::uuid`,
    jsonb: `'{}'`,
    boolean: prop.default === true || prop.default === 'true' ? 'n % 20 <> 1' : 'n % 20 = 1',
    numeric: '(n % 100) / 100.0',
    bytea: `'\\x00'`,
  }
  if (/int/.test(type)) return prop.version ? '1' : 'n % 1000'
  return byType[type] ?? `'${name.toLowerCase()}-' || t.name || '-' || n`
}

function referenceTo(prop: EntityProperty, target: EntityMetadata): string {
  if (declarationOf(target.class)!.access === 'read') return `(select id from "${target.tableName}" order by id limit 1)`
  const rows = setUp.has(target.className) ? 5 : isTenantOwned(target) ? (largest.has(target.className) ? 22_000 : 3_500) : people
  const id = idOf(target, isTenantOwned(target) ? `n % least(${rows}, t.rows)` : `n % ${rows}`)
  return prop.nullable ? `case when n % 3 > 0 then ${id} end` : id
}

/** What a row begins as is what few still are. */
function chosen({ items, default: initial }: EntityProperty): string {
  const first = String(initial ?? items![0]).replaceAll("'", '')
  const rest = items!.map(String).filter(item => item !== first)
  if (rest.length === 0) return `'${first}'`
  return `case when n % 50 = 0 then '${first}' else (array[${rest.map(item => `'${item}'`).join(',')}])[1 + n % ${rest.length}] end`
}

/** A row's later moments come ten minutes after one another, and no two rows' overlap. */
function momentOf({ name, nullable }: EntityProperty, nth: number): string {
  const at = `timestamptz '2026-01-01' + (n * interval '3 years' / t.rows) + interval '10 minutes' * ${nth}`
  if (name === 'deletedAt') return `case when n % 50 = 1 then ${at} end`
  return nullable ? `case when n % 10 > 0 then ${at} end` : at
}

/** The log of all tenants, about the tasks that they have, in the order in which it came about. */
function logFilling(tenant: string): string {
  return `insert into audit_event (tenant_id, recorded_at, entity, entity_id, entity_version, type, source, actor_type, actor_id, after, request_id, correlation_id)
    select t.tenant, now() - interval '20 days' * (1 - n::float8 / t.rows), 'task', md5('task:' || t.name || ':' || n % 5000)::uuid, 1 + n / 5000,
      case when n < 5000 then 'task.created' else 'task.updated' end, 'unit-of-work', 'user', md5('app_user:' || n % ${people})::uuid::text,
      json_build_object('title', 'title-' || n), 'request-' || n, 'story-' || n / 3
    from ${tenants(tenant, 20_000, rowsOfOthers)}, generate_series(0, t.rows - 1) n order by 2`
}

/** The ledgers of others: who proves or seals something reads the tree of one log. */
const ledgerFilling = [
  `insert into audit_checkpoint (id, tenant_id, from_seq, to_seq, tree_size, root_hash, origin, signature)
     select gen_random_uuid(), md5('tenant:' || 1 + n % 49)::uuid, n, n, n + 1, 'root', 'origin', 'signature' from generate_series(1, 20000) n`,
  `insert into ledger_tile (tenant_id, level, position, from_seq, to_seq, hashes)
     select md5('tenant:' || 1 + n % 49)::uuid, 0, n, n, n, sha256(n::text::bytea) from generate_series(1, 20000) n`,
]
