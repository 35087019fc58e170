import { type ChangeSet, ChangeSetType, type EntityMetadata, type EntityProperty } from '@mikro-orm/core'
import { oncePer } from '../kernel/once-per.ts'

/**
 * A null where none may be is left out of what is created: the ORM would send the default in its place and go on believing the null. As it
 * is, it asks for what the row got.
 */
export function leaveOutNulls(sets: readonly ChangeSet<object>[]): void {
  for (const { type, meta, payload, entity } of sets) {
    if (type !== ChangeSetType.CREATE) continue
    const values = payload as Record<string, unknown>
    for (const { name } of requiredDefaultsOf(meta)) {
      if (values[name] !== null) continue
      delete values[name]
      ;(entity as Record<string, unknown>)[name] = undefined
    }
  }
}

const requiredDefaultsOf = oncePer((meta: EntityMetadata): EntityProperty[] =>
  meta.props.filter(({ nullable, defaultRaw }) => !nullable && defaultRaw !== undefined),
)
