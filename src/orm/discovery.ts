import { type EntityMetadata, type MetadataStorage, ReferenceKind } from '@mikro-orm/core'
import { declarationOf, isTenantOwned } from './declaration.ts'
import { EntityNotScopedError, PolicyWidensError, UniqueAcrossTenantsError } from './orm.errors.ts'
import { completePivots } from './pivot.ts'
import { guardTriggers, identityTrigger, touchTrigger } from './tenant-guard.ts'

/** Runs once the ORM knows all entities: refuses a model that could not be isolated, and adds what follows from relations. */
export function completeModel(storage: MetadataStorage): void {
  completePivots(storage)
  for (const meta of tablesOf(storage)) {
    const declaration = declarationOf(meta.class)
    if (!declaration) throw new EntityNotScopedError(meta.className)
    if (declaration.madeByMigration) continue
    if (!meta.pivotTable) meta.triggers.push(touchTrigger(meta))
    indexForeignKeys(meta)
    if (!isTenantOwned(meta)) {
      if (declaration.immutable.length > 0) meta.triggers.push(identityTrigger(meta))
      continue
    }
    refuseUniquesAcrossTenants(meta)
    refuseWideningPolicies(meta)
    meta.triggers.push(...guardTriggers(meta))
  }
}

/** Entities that are tables of their own: no embeddables, views or abstract parents; of an inheritance tree only the root. */
export function tablesOf(storage: MetadataStorage): EntityMetadata[] {
  return [...storage.getAll().values()].filter(
    meta =>
      meta.tableName &&
      !meta.embeddable &&
      !meta.virtual &&
      !meta.view &&
      !meta.abstract &&
      meta.root === meta &&
      declarationOf(meta.class)?.madeByMigration !== 'view',
  )
}

/**
 * Each foreign key gets an index that starts with it: the check that runs when a parent row goes looks for it without the tenant. An id
 * belongs to one tenant anyway, so such an index is as selective as one that starts with the tenant, and tells nobody anything. The tenant
 * comes after it, because every other look-up names both, and one that knows both is as cheap to the planner as any that knows the tenant alone.
 */
function indexForeignKeys(meta: EntityMetadata): void {
  const leading = [...meta.indexes, ...meta.uniques].map(index => [index.properties ?? []].flat()[0])
  for (const relation of meta.relations) {
    const isForeignKey = relation.kind === ReferenceKind.MANY_TO_ONE || (relation.kind === ReferenceKind.ONE_TO_ONE && relation.owner)
    if (!isForeignKey || relation.unique || leading.includes(relation.name)) continue
    meta.indexes.push({ properties: isTenantOwned(meta) ? [relation.name, 'tenantId'] : relation.name })
  }
}

function refuseUniquesAcrossTenants(meta: EntityMetadata): void {
  const declared = meta.uniques.map(unique => [unique.properties ?? [unique.name ?? 'expression']].flat().map(String))
  const onProperties = meta.props.filter(prop => prop.unique && !prop.primary).map(prop => [prop.name])
  for (const properties of [...declared, ...onProperties]) {
    if (properties[0] !== 'tenantId') throw new UniqueAcrossTenantsError(meta.className, properties)
  }
}

function refuseWideningPolicies(meta: EntityMetadata): void {
  const permissive = meta.policies.filter(policy => policy.type !== 'restrictive')
  if (permissive.length > 1) {
    throw new PolicyWidensError(
      meta.className,
      permissive.map(policy => policy.name ?? '(unnamed)'),
    )
  }
}
