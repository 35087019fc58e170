import type { EntityMetadata } from '@mikro-orm/core'
import { type AuditEvent, auditedTableOf, columnPropertiesOf, valueAt } from '../audit/index.ts'
import { oncePer } from '../kernel/once-per.ts'
import { inTodaysShape } from './upcast.ts'

/** What one property was and became. */
export interface PropertyChange {
  readonly property: string
  readonly before?: unknown
  readonly after?: unknown
}

/** An event in the words of the entity: properties, and paths into what is embedded, instead of columns. */
export function changesIn(event: AuditEvent, meta: EntityMetadata): PropertyChange[] {
  const { changed, before: was, after: became } = inTodaysShape(event, auditedTableOf(meta)?.past ?? [])
  const columns = changed ?? Object.keys(became ?? was ?? {})
  return columns.map(path => {
    const [before, after] = [valueAt(was, path), valueAt(became, path)]
    return { property: propertyOf(path, meta), ...(before !== undefined && { before }), ...(after !== undefined && { after }) }
  })
}

/** `place_city` is `place.city`, `data.deep` stays, a relation's name stands for itself. */
export function propertyOf(path: string, meta: EntityMetadata): string {
  const [column, ...below] = path.split('.')
  const name = namesOf(meta.root).get(column!) ?? column!
  return below.length > 0 ? [name, ...below].join('.') : name
}

/** By column, what the entity calls it. */
const namesOf = oncePer((root: EntityMetadata): ReadonlyMap<string, string> => {
  // The first property of a column names it, as siblings of an inheritance tree may share one.
  const named = columnPropertiesOf(root).map(prop => [prop.fieldNames[0]!, prop.embedded ? prop.embedded.join('.') : prop.name] as const)
  return new Map(named.toReversed())
})

/** The column, or the path into a document, that a property's name stands for: several of what is embedded in columns of its own. */
export function pathsOf(property: string, meta: EntityMetadata): string[] {
  const under: string[] = []
  for (const prop of columnPropertiesOf(meta.root)) {
    const name = prop.embedded ? prop.embedded.join('.') : prop.name
    if (property === name || property.startsWith(`${name}.`)) return [prop.fieldNames[0]! + property.slice(name.length)]
    if (name.startsWith(`${property}.`)) under.push(prop.fieldNames[0]!)
  }
  return under.length > 0 ? under : [property]
}
