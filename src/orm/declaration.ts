import type { EntityMetadata } from '@mikro-orm/core'

/** What the application's role may do with a table. Policies decide about rows; grants decide about verbs. */
export type TableAccess = 'read' | 'append' | 'write'

/**
 * What an entity says about itself beyond what the ORM asks. It stays on the class under a shared symbol, so that it is found through
 * metadata whatever copy of this package declared it, and a child of an inheritance tree has its parent's.
 */
export interface EntityDeclaration {
  readonly belongsTo: 'tenant' | 'global'
  readonly access: TableAccess
  /** Properties that never change once the row is written, besides its id and its tenant. */
  readonly immutable: readonly string[]
  /** What the log records of it; `false` for an entity that it knows nothing of. */
  readonly audit: AuditDeclaration | false
  /** Its table, policies and triggers are made by a migration that says more than metadata can. */
  readonly madeByMigration?: 'table' | 'view'
}

export interface AuditDeclaration {
  /** The property whose value says whose log it is, a tenant's or a person's; `tenantId` unless said otherwise. */
  readonly log?: string
  /** Properties that never reach an event: hashes, tokens, keys. That they changed is told, their values aren't. */
  readonly secret?: readonly string[]
  /** Properties that say something about a person: recorded under that person's key, so that erasing the key erases them. */
  readonly personal?: readonly string[]
  /** The property that holds the person's id; without it the row itself stands for the person. */
  readonly person?: string
}

const key = Symbol.for('daybook.declaration')

export function declareEntity(entity: object, declaration: EntityDeclaration): void {
  Object.defineProperty(entity, key, { value: Object.freeze(declaration), configurable: true })
}

export function declarationOf(entity: unknown): EntityDeclaration | undefined {
  return (entity as Record<symbol, EntityDeclaration | undefined> | undefined)?.[key]
}

export function isTenantOwned(meta: Pick<EntityMetadata, 'class'>): boolean {
  return declarationOf(meta.class)?.belongsTo === 'tenant'
}
