import type { EntityMetadata, EntityProperty } from '@mikro-orm/core'

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
  /** The property that says whose each row is: other people don't see it. */
  readonly privateTo?: string
  /** Deleting marks a row with `deletedAt`. */
  readonly softDelete?: boolean
  readonly restored?: (row: never) => void
  /** Its table, policies and triggers are made by a migration that says more than metadata can. */
  readonly madeByMigration?: 'table' | 'view'
}

export interface AuditDeclaration {
  /** The property whose value says whose log it is, a tenant's or a person's; `tenantId` unless said otherwise. It never changes. */
  readonly log?: string
  /** Properties that never reach an event: hashes, tokens, keys. That they changed is told, their values aren't. */
  readonly secret?: readonly string[]
  /** Text and JSON properties that tell something of a person: recorded under that person's key, gone with it. */
  readonly personal?: readonly string[]
  /** The property that says which person, by its value, for good; the row's own id unless said otherwise, or where it says nobody. */
  readonly person?: string
  /**
   * How events looked before, a step for each change of shape: the first leads from version 1 to 2. Events keep the version that they were
   * written in, and readers take the steps that are missing.
   */
  readonly past?: readonly PastShape[]
}

/** One change of an entity's shape, in the names of columns. */
export interface PastShape {
  /** What a column, or a relation, was called, and is called now. */
  readonly renamed?: Readonly<Record<string, string>>
  readonly removed?: readonly string[]
  /** By column: what stood there, as text, and what stands for it now. */
  readonly values?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** What a child of an inheritance tree keeps back besides what its root does; everything else the root has said. */
export type ChildAudit = Pick<AuditDeclaration, 'secret' | 'personal'>

const key = Symbol.for('daybook.declaration')
const childKey = Symbol.for('daybook.declaration-of-child')

export function declareEntity(entity: object, declaration: EntityDeclaration): void {
  Object.defineProperty(entity, key, { value: Object.freeze(declaration), configurable: true })
}

export function declarationOf(entity: unknown): EntityDeclaration | undefined {
  return (entity as Record<symbol, EntityDeclaration | undefined> | undefined)?.[key]
}

export function declareChild(entity: object, audit: ChildAudit): void {
  Object.defineProperty(entity, childKey, { value: Object.freeze(audit), configurable: true })
}

/** Its own alone: what its parents keep back is found with them. */
export function childAuditOf(entity: object): ChildAudit {
  return Object.hasOwn(entity, childKey) ? (entity as Record<symbol, ChildAudit>)[childKey]! : {}
}

export function isTenantOwned(meta: Pick<EntityMetadata, 'class'>): boolean {
  return declarationOf(meta.class)?.belongsTo === 'tenant'
}

/** The column that says whose each row is, where other people don't see it. */
export function privateColumnOf(meta: Pick<EntityMetadata, 'class' | 'root'>): string | undefined {
  const property = declarationOf(meta.class)?.privateTo
  return property === undefined ? undefined : (meta.root.properties as Record<string, EntityProperty>)[property]!.fieldNames[0]
}
