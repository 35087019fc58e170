import type { EntityMetadata } from '@mikro-orm/core'
import { oncePer } from '../kernel/once-per.ts'
import { declarationOf, type PastShape } from '../orm/index.ts'

/** What the log needs to know of a table, read once from its entity's declaration. */
export interface AuditedTable {
  /** Its name in the log: `api-key`. */
  readonly entity: string
  /** The column whose value says whose log it is: a tenant's, or a person's. */
  readonly logColumn: string
  readonly versionColumn: string | undefined
  /** Columns whose values are never told. */
  readonly secret: readonly string[]
  /** Columns that tell something of a person, and the column that says of whom. */
  readonly personal: readonly string[]
  readonly personColumn: string
  /** Steps from how events looked to how they look; an event's schema version counts those that it has taken. */
  readonly past: readonly PastShape[]
}

/** Undefined for an entity that the log knows nothing of. An inheritance tree is one table under its root's name. */
export function auditedTableOf(meta: EntityMetadata): AuditedTable | undefined {
  return tableOf(meta.root)
}

/** In kebab-case, for the log and for permissions: `AIProviderConfig` is `ai-provider-config`. */
export function entityNameOf(className: string): string {
  return className.replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '-').toLowerCase()
}

const tableOf = oncePer((root: EntityMetadata): AuditedTable | undefined => {
  const declaration = declarationOf(root.class)
  if (!declaration?.audit || declaration.madeByMigration || root.pivotTable) return undefined
  const columnOf = (property: string) => root.properties[property as never]!['fieldNames'][0] as string
  return {
    entity: entityNameOf(root.className),
    logColumn: columnOf(declaration.audit.log ?? 'tenantId'),
    versionColumn: root.versionProperty ? columnOf(root.versionProperty) : undefined,
    secret: (declaration.audit.secret ?? []).map(columnOf),
    personal: (declaration.audit.personal ?? []).map(columnOf),
    personColumn: columnOf(declaration.audit.person ?? 'id'),
    past: declaration.audit.past ?? [],
  }
})
