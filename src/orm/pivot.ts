import { type EntityMetadata, type EntityProperty, type MetadataStorage, ReferenceKind, type TriggerDef } from '@mikro-orm/core'
import { declareEntity, isTenantOwned } from './declaration.ts'
import { tenantPolicy } from './tenant-policy.ts'

/**
 * The ORM makes the table between two sides of a many-to-many relation by itself. Where a tenant owns the relation, that table is the
 * tenant's too: it gets the column, which the database fills from the scope, and the policy.
 */
export function completePivots(storage: MetadataStorage): void {
  for (const owner of storage.getAll().values()) {
    if (!isTenantOwned(owner)) continue
    for (const relation of owner.relations.filter(ownsPivot)) {
      const pivot = storage.find(relation.pivotEntity)
      if (pivot?.pivotTable && !isTenantOwned(pivot)) giveToTenant(pivot, relation)
    }
  }
}

/** `currentTenantSql` in the words in which PostgreSQL keeps it: the ORM compares a default to the letter, and would want it changed for ever. */
const storedTenantSql = `(NULLIF(current_setting('daybook.tenant_id'::text, true), ''::text))::uuid`

/** The side of a many-to-many relation whose pivot table the ORM has made. */
export function ownsPivot(prop: EntityProperty): boolean {
  return prop.kind === ReferenceKind.MANY_TO_MANY && prop.owner
}

function giveToTenant(pivot: EntityMetadata, relation: EntityProperty): void {
  const place = placeOf(relation, pivot)
  const sides = pivot.relations.map(({ name }) => name)
  declareEntity(pivot.class, { belongsTo: 'tenant', access: 'write', immutable: place ? [...sides, place.name] : [], audit: {} })
  pivot.addProperty({
    name: 'tenantId',
    fieldNames: ['tenant_id'],
    kind: ReferenceKind.SCALAR,
    type: 'uuid',
    columnTypes: ['uuid'],
    runtimeType: 'string',
    nullable: false,
    defaultRaw: storedTenantSql,
    hydrate: false,
  })
  pivot.indexes.push({ properties: 'tenantId' })
  pivot.policies.push(tenantPolicy)
  pivot.rowLevelSecurity = 'force'
  if (!place) return
  pivot.uniques.push({ properties: ['tenantId', ...sides] })
  pivot.triggers.push(placeGuard(pivot, relation, place))
}

/** The column by which the links of an ordered relation stand in their order. */
export function placeOf({ fixedOrder }: EntityProperty, pivot: EntityMetadata): EntityProperty | undefined {
  return fixedOrder ? pivot.getPrimaryProps().find(({ kind }) => kind === ReferenceKind.SCALAR) : undefined
}

/**
 * The log tells of an ordered relation which links went and which came behind those that are left. So there is one link to a thing, none is
 * changed, and none comes before one that is there: whoever wants another order takes links away and adds them again, as the ORM does.
 */
function placeGuard(pivot: EntityMetadata, relation: EntityProperty, place: EntityProperty): TriggerDef {
  const [table, owner, column] = [pivot.tableName, relation.joinColumns[0]!, place.fieldNames[0]!]
  const routine = `"${table}_guard_place_fn"`
  const later = `select from "${table}" l where l."${owner}" = n."${owner}" and l."${column}" > n."${column}" and not exists (select from inserted i where i."${column}" = l."${column}")`
  const refusal =
    `raise exception using errcode = '23514', table = '${table}', constraint = '${table}_place', ` +
    `message = 'a link in table "${table}" would come before one that is there', hint = 'Leave ${column} to the database; for another order, delete the links and insert them anew.';`
  return {
    name: 'guard_place',
    timing: 'after',
    events: ['insert'],
    forEach: 'statement',
    expression:
      `create or replace function ${routine}() returns trigger as $$ begin if exists (select from inserted n where exists (${later})) then ${refusal} end if; return null; end; $$ language plpgsql set search_path = "${pivot.schema ?? 'public'}", pg_temp;\n` +
      `create trigger "guard_place" after insert on "${table}" referencing new table as inserted for each statement execute function ${routine}();`,
  }
}
