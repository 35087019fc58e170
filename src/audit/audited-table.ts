import { type EntityMetadata, type EntityProperty, ReferenceKind } from '@mikro-orm/core'
import { oncePer } from '../kernel/once-per.ts'
import { childAuditOf, declarationOf, type PastShape } from '../orm/index.ts'
import { PropertyNotStoredError } from './audit.errors.ts'

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
  const columnsOf = (property: string) => columnsIn(root, property)
  const columnOf = (property: string) => columnsOf(property)[0]!
  // Of a tree the root and each child say what they keep back, and the table keeps all of it back.
  const said = [declaration.audit, ...Object.values(root.discriminatorMap ?? {}).map(child => childAuditOf(child))]
  return {
    entity: entityNameOf(root.className),
    logColumn: columnOf(declaration.audit.log ?? 'tenantId'),
    versionColumn: root.versionProperty ? columnOf(root.versionProperty) : undefined,
    secret: said.flatMap(({ secret = [] }) => secret.flatMap(columnsOf)),
    personal: said.flatMap(({ personal = [] }) => personal.flatMap(columnsOf)),
    personColumn: columnOf(declaration.audit.person ?? 'id'),
    past: declaration.audit.past ?? [],
  }
})

/** Where a property is stored. Children of a tree may have one name for several columns, of which the root knows; then it is all of them. */
function columnsIn(root: EntityMetadata, name: string): string[] {
  const columns = [...new Set(root.props.filter(prop => prop.name === name && !prop.embedded).flatMap(storedIn))]
  if (columns.length === 0) throw new PropertyNotStoredError(root.className, name)
  return columns
}

/** An embedded object that has no column of its own is stored in those of what it holds. */
function storedIn({ kind, object, embeddedProps, persist, formula, fieldNames }: EntityProperty): string[] {
  if (kind === ReferenceKind.EMBEDDED && !object) return Object.values(embeddedProps).flatMap(storedIn)
  const isElsewhere = kind === ReferenceKind.ONE_TO_MANY || kind === ReferenceKind.MANY_TO_MANY
  return isElsewhere || persist === false || formula ? [] : fieldNames
}
