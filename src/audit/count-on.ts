import { type ChangeSet, ChangeSetType } from '@mikro-orm/core'

const versions = new WeakMap<object, number>()

/**
 * An entity that will be a row again is made under this version. Under one that it had before, who saw that state would pass for having seen
 * this one: a tag or a lock of then would let them overwrite what they never read.
 */
export function countOnFrom(entity: object, version: number): void {
  versions.set(entity, version)
}

/** The ORM leaves versions to the database, and asks it for those of all rows that it sends together or of none: so all are told. */
export function countOn(sets: readonly ChangeSet<object>[]): void {
  const creations = sets.filter(({ type }) => type === ChangeSetType.CREATE)
  const returning = new Set(creations.filter(({ entity }) => versions.has(entity)).map(({ meta }) => meta.root))
  for (const { entity, payload, meta } of creations) {
    if (!returning.has(meta.root)) continue
    const version = { [meta.versionProperty]: versions.get(entity) ?? 1 }
    Object.assign(payload, version)
    Object.assign(entity, version)
  }
}
