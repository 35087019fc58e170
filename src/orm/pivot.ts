import { type EntityMetadata, type EntityProperty, type MetadataStorage, ReferenceKind } from '@mikro-orm/core'
import { declareEntity, isTenantOwned } from './declaration.ts'
import { currentTenantSql, tenantPolicy } from './tenant-policy.ts'

/**
 * The ORM makes the table between two sides of a many-to-many relation by itself. Where a tenant owns the relation, that table is the
 * tenant's too: it gets the column, which the database fills from the scope, and the policy.
 */
export function completePivots(storage: MetadataStorage): void {
  for (const owner of storage.getAll().values()) {
    if (!isTenantOwned(owner)) continue
    for (const relation of owner.relations.filter(ownsPivot)) {
      const pivot = storage.find(relation.pivotEntity)
      if (pivot?.pivotTable && !isTenantOwned(pivot)) giveToTenant(pivot)
    }
  }
}

/** The side of a many-to-many relation whose pivot table the ORM has made. */
export function ownsPivot(prop: EntityProperty): boolean {
  return prop.kind === ReferenceKind.MANY_TO_MANY && prop.owner
}

function giveToTenant(pivot: EntityMetadata): void {
  declareEntity(pivot.class, { belongsTo: 'tenant', access: 'write', immutable: [], audit: {} })
  pivot.addProperty({
    name: 'tenantId',
    fieldNames: ['tenant_id'],
    kind: ReferenceKind.SCALAR,
    type: 'uuid',
    columnTypes: ['uuid'],
    runtimeType: 'string',
    nullable: false,
    defaultRaw: currentTenantSql,
    hydrate: false,
  })
  pivot.indexes.push({ properties: 'tenantId' })
  pivot.policies.push(tenantPolicy)
  pivot.rowLevelSecurity = 'force'
}
