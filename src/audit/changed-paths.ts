import { isObject } from '../kernel/is-object.ts'

/** Where two documents differ: a path, and what stands there in each. */
export interface Difference {
  readonly path: string
  readonly before: unknown
  readonly after: unknown
}

/** Where two documents differ, as dotted paths below the column's name. */
export function changedPaths(column: string, before: string | undefined, after: string | undefined): string[] {
  return [...differencesBetween(column, JSON.parse(before ?? 'null'), JSON.parse(after ?? 'null'))].map(({ path }) => path)
}

/**
 * Arrays are compared as wholes: a position is no name. So are documents that differ under a key which no path can name: `{"a.b": 1}` and
 * `{"a": {"b": 1}}` would have one path.
 */
export function* differencesBetween(path: string, before: unknown, after: unknown): Generator<Difference> {
  if (!isObject(before) || !isObject(after)) {
    if (!isSame(before, after)) yield { path, before, after }
    return
  }
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  if (keys.some(key => !canBeNamed(key) && !isSame(own(before, key), own(after, key)))) yield { path, before, after }
  else for (const key of keys) yield* differencesBetween(`${path}.${key}`, own(before, key), own(after, key))
}

/** What stands at a path below a document, or below a row whose keys are columns. */
export function valueAt(document: unknown, path: string): unknown {
  return path.split('.').reduce((inner, key) => (isObject(inner) ? own(inner, key) : undefined), document)
}

/** Besides those that would be taken for other paths, one that can't be set like others. */
function canBeNamed(key: string): boolean {
  return key !== '' && key !== '__proto__' && !key.includes('.')
}

/** A key that only one side has may be the name of something that every object has. */
function own(document: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(document, key) ? document[key] : undefined
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
