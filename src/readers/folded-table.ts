import { type EntityMetadata, type EntityProperty, isRaw } from '@mikro-orm/core'
import { auditedTableOf, columnPropertiesOf } from '../audit/index.ts'
import { currentTenantSql, currentUserSql, ownRowSql, placeOf, privateColumnOf } from '../orm/index.ts'

/**
 * A select that gives an audited table's rows by folding their events, with the table's own column names and types. `id` and the column of
 * the log are plain columns of the grouping, so a condition on them reaches the index. `where` narrows the events: up to when. What tells of
 * a person is a mark; behind `prefix` and its log, where whoever reads the rows has to find it among them. Rows that are private to somebody
 * else are left out for those whom the table's policy binds.
 */
export function foldedTableSql(meta: EntityMetadata, where = 'true', prefix?: string): string {
  const { entity, logColumn, personal } = auditedTableOf(meta)!
  const rowType = rowTypeOf(meta)
  const columns = foldedColumnsOf(meta).filter(column => column !== 'id' && column !== logColumn)
  const log = logColumn === 'id' ? '' : `f.tenant_id as "${logColumn}", `
  const valueSql = (column: string) => {
    if (prefix === undefined || !personal.includes(column)) return `r."${column}"`
    const found = `'${prefix}' || f.tenant_id || ' ' || `
    if (!isDocument(meta, column)) return `${found}r."${column}" as "${column}"`
    // A document from before its column was declared personal is no mark.
    return `case when jsonb_typeof(r."${column}"::jsonb) = 'string' then to_jsonb(${found}(r."${column}" #>> '{}')) else r."${column}"::jsonb end as "${column}"`
  }
  const owner = privateColumnOf(meta)
  return (
    `select f.entity_id as id, ${log}${columns.map(column => valueSql(column)).join(', ')} ` +
    `from (select e.tenant_id, e.entity_id, ${foldSql(meta)} as state ` +
    `from audit_event e where e.entity = '${entity}' and ${where} group by e.tenant_id, e.entity_id) f, ` +
    `lateral jsonb_populate_record(null::${rowType}, f.state) r where f.state is not null${owner === undefined ? '' : ` and (${ownRowSql(`r."${owner}"`)} or not row_security_active('${rowType}'))`}`
  )
}

/** All rows of an audited table that the scope would have seen, with what the database makes from other columns made of what these were. */
export function pastRowsSql(meta: EntityMetadata, where: string, prefix: string): string {
  const generated = generatedIn(meta)
  const made = generated.map(({ column, sql }) => `, ${sql} as "${column}"`).join('')
  const folded = foldedTableSql(meta, where, prefix)
  const past = generated.length > 0 ? `select p.*${made} from (${folded}) p` : folded
  return [past, unfoldableRowsSql(meta, generated)].filter(Boolean).join(' union all ')
}

/**
 * The rows of an audited table whose log the scope doesn't see, as they are now, in the columns of the others; of a tenant's table there
 * are none. People have logs of their own, and whoever is seen in an organization today was somebody in its past.
 */
function unfoldableRowsSql(meta: EntityMetadata, generated: readonly Generated[]): string | undefined {
  const { logColumn } = auditedTableOf(meta)!
  if (logColumn === 'tenant_id') return undefined
  const columns = [...foldedColumnsOf(meta), ...generated.map(({ column }) => column)]
  const [log, names] = [`p."${logColumn}"`, columns.map(column => `p."${column}"`)]
  return (
    `select ${names.join(', ')} from ${rowTypeOf(meta)} p where row_security_active('audit_event') ` +
    `and ${log} is distinct from ${currentTenantSql} and ${log} is distinct from ${currentUserSql}`
  )
}

interface Generated {
  readonly column: string
  readonly sql: string
}

/** What comes from a sequence, or from what the log doesn't tell in clear, isn't known of the past. */
function generatedIn(meta: EntityMetadata): Generated[] {
  const { secret, personal } = auditedTableOf(meta)!
  return meta.root.props.flatMap(({ generated, fieldNames, columnTypes }) => {
    if (generated === undefined) return []
    const [column, type] = [fieldNames[0]!, columnTypes[0]!]
    const [, made = 'null'] = /^(\(.*\))\s*(?:stored|virtual)?$/is.exec(isRaw(generated) ? generated.sql : (generated as string)) ?? []
    const isKnown = ![...secret, ...personal].some(name => new RegExp(`(?<!\\w)${name}(?!\\w)`, 'i').test(made))
    return { column, sql: `(${isKnown ? made : 'null'})::${type}` }
  })
}

/** In the order of the select: those that the events are grouped by come first. */
function foldedColumnsOf(meta: EntityMetadata): string[] {
  const { logColumn } = auditedTableOf(meta)!
  return [...new Set(['id', logColumn, ...columnsOf(meta)])]
}

/** With its schema, because some names are types of PostgreSQL's own: line, box, path. */
function rowTypeOf(meta: EntityMetadata): string {
  return `"${meta.schema ?? 'public'}"."${meta.tableName}"`
}

function isDocument(meta: EntityMetadata, column: string): boolean {
  return /^json/i.test(meta.root.props.find(({ fieldNames }) => fieldNames?.[0] === column)!.columnTypes[0]!)
}

/** The same for the table between two sides of a many-to-many relation, whose rows stand in their owner's state. */
export function foldedPivotSql(owner: EntityMetadata, relation: EntityProperty, pivot: EntityMetadata, where = 'true'): string {
  const { entity } = auditedTableOf(owner)!
  const [ownerColumn, targetColumn] = [relation.joinColumns[0]!, relation.inverseJoinColumns[0]!]
  const place = placeOf(relation, pivot)
  const order = place ? `, l.place as "${place.fieldNames[0]}"` : ''
  return (
    `select f.tenant_id, f.entity_id as "${ownerColumn}", l.id::uuid as "${targetColumn}"${order} ` +
    `from (select e.tenant_id, e.entity_id, ${foldSql(owner)} as state ` +
    `from audit_event e where e.entity = '${entity}' and ${where} group by e.tenant_id, e.entity_id) f, ` +
    `lateral jsonb_array_elements_text(f.state->'${relation.name}') with ordinality as l (id, place) where f.state is not null`
  )
}

/** Folds events `e` in their order; those of an earlier shape in today's. */
export function foldSql(meta: EntityMetadata): string {
  const { past } = auditedTableOf(meta)!
  if (past.length === 0) return 'daybook_fold(e.type, e.before, e.after order by e.seq)'
  const steps = `'${JSON.stringify(past).replaceAll("'", "''")}'`
  const today = (column: string) => `daybook_upcast(e.${column}, e.schema_version, ${steps})`
  return `daybook_fold(e.type, ${today('before')}, ${today('after')} order by e.seq)`
}

/** The table's columns; generated ones are left out, for they follow from the others, and the log doesn't tell them. */
export function columnsOf(meta: EntityMetadata): string[] {
  return [...new Set(columnPropertiesOf(meta.root).map(prop => prop.fieldNames[0]!))]
}
