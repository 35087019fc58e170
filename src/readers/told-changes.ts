import { type EntityMetadata, type EntityProperty, ReferenceKind } from '@mikro-orm/core'
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
  const known = namesOf(meta.root).get(path)
  if (known !== undefined) return known
  const [column, ...below] = path.split('.')
  const prop = propertiesByColumn(meta.root).get(column!)
  return prop ? [...pathTo(prop, meta.root), ...inWords(below, prop)].join('.') : path
}

const propertiesByColumn = oncePer((root: EntityMetadata): ReadonlyMap<string, EntityProperty> => {
  // The first property of a column names it, as siblings of an inheritance tree may share one.
  const named = columnPropertiesOf(root).map(prop => [prop.fieldNames[0]!, prop] as const)
  return new Map(named.toReversed())
})

/** By column, what the entity calls it. */
const namesOf = oncePer(
  (root: EntityMetadata): ReadonlyMap<string, string> =>
    new Map([...propertiesByColumn(root)].map(([column, prop]) => [column, pathTo(prop, root).join('.')] as const)),
)

/** In a document of what is embedded the keys are names of fields. */
function inWords([key, ...below]: readonly string[], prop: EntityProperty): string[] {
  if (key === undefined) return []
  const inner = Object.values(embeddedIn(prop)).find(each => each?.fieldNames[0] === key)
  return inner ? [inner.embedded![1], ...inWords(below, inner)] : [key, ...below]
}

function inFields([name, ...below]: readonly string[], prop: EntityProperty): string[] {
  if (name === undefined) return []
  const inner = embeddedIn(prop)[name]
  return inner ? [inner.fieldNames[0]!, ...inFields(below, inner)] : [name, ...below]
}

export function embeddedIn({ kind, embeddedProps }: EntityProperty): Readonly<Record<string, EntityProperty | undefined>> {
  return kind === ReferenceKind.EMBEDDED ? embeddedProps : {}
}

/** The way to a property from its entity: through the objects that hold what is embedded in columns of its own, however deep. */
export function pathTo({ name, embedded }: EntityProperty, meta: EntityMetadata): string[] {
  if (!embedded) return [name]
  const holder = propertiesOf(meta)[embedded[0]]
  return [...(holder ? pathTo(holder, meta) : [embedded[0]]), embedded[1]]
}

/** What isn't loaded unless it is asked for, for whoever needs a row as a whole. */
export function lazyPathsOf(meta: EntityMetadata): string[] {
  return columnPropertiesOf(meta).flatMap(prop => (prop.lazy ? [pathTo(prop, meta).join('.')] : []))
}

export function propertiesOf(meta: EntityMetadata): Readonly<Record<string, EntityProperty | undefined>> {
  return meta.properties as Record<string, EntityProperty>
}

/** The column, or the path into a document, that a property's name stands for: several of what is embedded in columns of its own. */
export function pathsOf(property: string, meta: EntityMetadata): string[] {
  const under: string[] = []
  for (const prop of columnPropertiesOf(meta.root)) {
    const name = pathTo(prop, meta.root).join('.')
    if (property === name) return [prop.fieldNames[0]!]
    if (property.startsWith(`${name}.`))
      return [[prop.fieldNames[0]!, ...inFields(property.slice(name.length + 1).split('.'), prop)].join('.')]
    if (name.startsWith(`${property}.`)) under.push(prop.fieldNames[0]!)
  }
  return under.length > 0 ? under : [property]
}
