import { type EntityMetadata, type EntityProperty, ReferenceKind, type TriggerDef } from '@mikro-orm/core'
import { declarationOf, isTenantOwned } from './declaration.ts'
import { outsideUnitSql } from './unsent.ts'

/**
 * Foreign keys ignore row level security, so a row of one tenant could point at a row of another, and the difference between "refused"
 * and "not there" would tell that it exists. The guard closes both: it looks the target up as the writer sees it, and refuses what is
 * not visible, or visible and another tenant's, in the very words that a foreign key uses for a row that isn't there.
 *
 *   insert   one look per statement, over the transition table
 *   update   a row trigger whose WHEN is true only if a reference changed, so ordinary updates never enter the function
 *   identity `tenant_id`, `id` and what else is declared immutable never change, so what was checked once holds for ever
 *
 * The DDL is written out (`expression`) because transition tables need it; the ORM creates and drops it with the table.
 */
export function guardTriggers(meta: EntityMetadata): TriggerDef[] {
  const references = meta.relations.filter(isGuarded)
  const triggers = [identityTrigger(meta)]
  if (references.length > 0) triggers.push(insertedReferences(meta, references), updatedReferences(meta, references))
  return triggers
}

/**
 * `updated_at` is true for raw SQL too: the database sets it unless the writer did, or wrote what was there already. The unit of work always
 * does, and two changes of one millisecond set the same, so of its statements the trigger keeps away.
 */
export function touchTrigger(meta: EntityMetadata): TriggerDef {
  return sharedTrigger(meta, 'touch', `new.updated_at is not distinct from old.updated_at and (${outsideUnitSql})`, 'daybook_touch')
}

/** Of a global entity, which has no tenant, what it declares immutable and its id. */
export function identityTrigger(meta: EntityMetadata): TriggerDef {
  const declared = declarationOf(meta.class)!.immutable.map(name => meta.properties[name as never] as EntityProperty)
  const columns = [
    ...(isTenantOwned(meta) ? ['tenant_id'] : []),
    ...(meta.pivotTable ? [] : ['id']),
    ...declared.map(({ fieldNames }) => fieldNames[0]!),
  ]
  const changed = columns.map(column => `new.${column} is distinct from old.${column}`).join(' or ')
  return sharedTrigger(meta, 'guard_identity', changed, 'daybook_refuse_identity_change', columns)
}

/** A trigger whose function is the same for all tables, made by the first migration. */
function sharedTrigger(meta: EntityMetadata, name: string, when: string, routine: string, columns: string[] = []): TriggerDef {
  const call = `${routine}(${columns.map(column => `'${column}'`).join(', ')})`
  const expression = `create trigger ${quote(name)} before update on ${quote(meta.tableName)} for each row when (${when}) execute function ${call};`
  return { name, timing: 'before', events: ['update'], forEach: 'row', expression }
}

function insertedReferences(meta: EntityMetadata, references: EntityProperty[]): TriggerDef {
  const looks = references.map(reference => {
    const column = reference.fieldNames[0]!
    return `if exists (select from inserted n where n.${column} is not null and ${isNoTarget(reference, 'n')}) then ${refusal(meta, reference)} end if;`
  })
  return guardTrigger(meta, 'insert', 'referencing new table as inserted for each statement', looks)
}

function updatedReferences(meta: EntityMetadata, references: EntityProperty[]): TriggerDef {
  const changed = references.map(({ fieldNames: [column] }) => `new.${column} is distinct from old.${column}`)
  const looks = references.map(reference => {
    const column = reference.fieldNames[0]!
    return `if new.${column} is distinct from old.${column} and new.${column} is not null and ${isNoTarget(reference, 'new')} then ${refusal(meta, reference)} end if;`
  })
  return guardTrigger(meta, 'update', `for each row when (${changed.join(' or ')})`, looks)
}

/**
 * A reference to a tenant's row must be this tenant's; one to a person must be visible, which for a tenant means: a member. The tenant is
 * compared outside of the look-up: as a condition of it, a planner that has no statistics yet counts it twice with the policy's, believes that
 * a tenant has one row, and reads the whole tenant for each.
 */
function isNoTarget(reference: EntityProperty, row: 'n' | 'new'): string {
  const target = reference.targetMeta!
  const from = `from ${quote(target.tableName)} t where t.id = ${row}.${reference.fieldNames[0]}`
  return isTenantOwned(target) ? `(select t.tenant_id ${from}) is distinct from ${row}.tenant_id` : `not exists (select ${from})`
}

function refusal(meta: EntityMetadata, reference: EntityProperty): string {
  const constraint = `${meta.tableName}_${reference.fieldNames[0]}_foreign`
  return (
    `raise exception using errcode = '23503', table = '${meta.tableName}', constraint = '${constraint}', ` +
    `message = 'insert or update on table "${meta.tableName}" violates foreign key constraint "${constraint}"', ` +
    `detail = 'Key is not present in table "${reference.targetMeta!.tableName}".';`
  )
}

/** To-one relations with a foreign key whose target not everybody may see: a tenant's row, or a person. */
function isGuarded(prop: EntityProperty): boolean {
  const toOne = prop.kind === ReferenceKind.MANY_TO_ONE || (prop.kind === ReferenceKind.ONE_TO_ONE && prop.owner)
  return toOne && prop.persist !== false && prop.fieldNames.length === 1 && prop.targetMeta!.policies.length > 0
}

function guardTrigger(meta: EntityMetadata, event: 'insert' | 'update', head: string, looks: string[]): TriggerDef {
  const name = `guard_${event}`
  const routine = quote(`${meta.tableName}_${name}_fn`)
  return {
    name,
    timing: 'after',
    events: [event],
    forEach: event === 'insert' ? 'statement' : 'row',
    expression:
      `create or replace function ${routine}() returns trigger as $$ begin ${looks.join(' ')} return null; end; $$ language plpgsql set search_path = ${quote(meta.schema ?? 'public')}, pg_temp;\n` +
      `create trigger ${quote(name)} after ${event} on ${quote(meta.tableName)} ${head} execute function ${routine}();`,
  }
}

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}
