import type { EntityMetadata, PolicyDef } from '@mikro-orm/core'
import { isTenantOwned, privatePolicyName } from '../orm/index.ts'
import { HiddenPastError, OwnerTypeError, PersonalTypeError, VersionTypeError } from './audit.errors.ts'
import type { AuditedTable } from './audited-table.ts'

/** Refuses at start-up what an entity declares and the log could not keep: found out later, it would stand in the log for good. */
export function refuseUnrecordable(meta: EntityMetadata, table: AuditedTable): void {
  refuseUnsealable(meta, table)
  refuseUncounted(meta, table)
  refuseOwnersWithoutId(meta, table)
  refuseHiddenPast(meta, table)
}

function refuseUnsealable(meta: EntityMetadata, { entity, personal }: AuditedTable): void {
  for (const column of personal) {
    const type = typeOf(meta, column)
    if (!/^(text|jsonb?)$/i.test(type)) throw new PersonalTypeError(entity, column, type)
  }
}

/** An event says which version its row has by a number. */
function refuseUncounted(meta: EntityMetadata, { entity, versionColumn }: AuditedTable): void {
  if (versionColumn === undefined) return
  const type = typeOf(meta, versionColumn)
  if (!/^(int|integer|smallint|bigint|int[248])$/i.test(type)) throw new VersionTypeError(entity, versionColumn, type)
}

/** Logs and people are known by their ids. */
function refuseOwnersWithoutId(meta: EntityMetadata, { entity, logColumn, personColumn }: AuditedTable): void {
  for (const column of [logColumn, personColumn]) {
    const type = typeOf(meta, column)
    if (!/^uuid$/i.test(type)) throw new OwnerTypeError(entity, column, type)
  }
}

/**
 * A policy that hides rows says so of what they hold now, and the log knows what they held: rows that it hides would have a past for everybody.
 * Whose a row is for good (`privateTo`) is known of the past too.
 */
function refuseHiddenPast(meta: EntityMetadata, { entity }: AuditedTable): void {
  if (!isTenantOwned(meta)) return
  const hiding = meta.policies.find(policy => policy.type === 'restrictive' && policy.name !== privatePolicyName && hides(policy))
  if (hiding) throw new HiddenPastError(entity, hiding.name ?? '(unnamed)')
}

function hides({ command = 'all', using }: PolicyDef): boolean {
  return using !== undefined && (command === 'all' || command === 'select')
}

function typeOf(meta: EntityMetadata, column: string): string {
  return meta.props.find(({ fieldNames, columnTypes }) => fieldNames?.[0] === column && columnTypes)!.columnTypes[0]!
}
