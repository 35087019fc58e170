import { type EntityMetadata, ReferenceKind } from '@mikro-orm/core'
import { auditedTableOf } from '../audit/index.ts'
import { changedSql, type Condition } from './event-rows.ts'
import { pathsOf } from './told-changes.ts'

/** What a row's whole says of a path: `creations` alone, or deletions too. */
type Wholes = 'creations' | 'all'

/**
 * Events that changed a property: it, something in it, or a document that it is in; and those of a whole row that has it. In the words of
 * whatever shape an event was written in. Without an entity a property is what the log calls it.
 */
export function touching(property: string, meta: EntityMetadata | undefined, wholes: Wholes): Condition {
  const names = meta ? pathsOf(property, meta).flatMap(path => everSince(path, meta)) : [{ path: property }]
  const conditions = names.map(named => changing(named, wholes))
  return [`(${conditions.map(([sql]) => sql).join(' or ')})`, ...conditions.flatMap(([, ...values]) => values)]
}

interface Named {
  readonly path: string
  /** In events of which versions it is called so; in all of them unless said. */
  readonly versions?: readonly [first: number, last: number]
}

function changing({ path, versions }: Named, wholes: Wholes): Condition {
  const whole =
    wholes === 'creations' ? 'before is null and changed is null and after' : `${changedSql} is null and coalesce(after, before)`
  const touched = `exists (select from unnest(${changedSql}) as c where c = ? or starts_with(c, ?) or starts_with(?, c || '.'))`
  const within = versions ? ` and schema_version between ${versions[0]} and ${versions[1]}` : ''
  return [`((${touched} or ${whole} #>> string_to_array(?, '.') is not null)${within})`, path, `${path}.`, path, path]
}

/** What a path has been called, from today's shape back to where its column began, or took the name of another. */
function everSince(path: string, meta: EntityMetadata): Named[] {
  const { past } = auditedTableOf(meta)!
  if (past.length === 0) return [{ path }]
  const [column, ...below] = path.split('.')
  const names = [{ name: column!, first: past.length + 1, last: past.length + 1 }]
  for (const [index, { renamed = {}, removed = [] }] of [...past.entries()].toReversed()) {
    const { name } = names.at(-1)!
    const earlier = Object.keys(renamed).find(was => renamed[was] === name)
    if (earlier === undefined && (removed.includes(name) || name in renamed)) break
    if (earlier === undefined) names.at(-1)!.first = index + 1
    else names.push({ name: earlier, first: index + 1, last: index + 1 })
  }
  // The database tells of relations without saying in which shape.
  const isLink = meta.relations.some(({ name, kind }) => name === column && kind === ReferenceKind.MANY_TO_MANY)
  return names.map(({ name, first, last }) => ({ path: [name, ...below].join('.'), ...(!isLink && { versions: [first, last] as const }) }))
}
