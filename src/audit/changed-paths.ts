import { isObject } from '../kernel/is-object.ts'

/** Where two documents differ, as dotted paths below the column's name. Arrays are compared as wholes: a position is no name. */
export function changedPaths(column: string, before: string | undefined, after: string | undefined): string[] {
  return [...paths(column, JSON.parse(before ?? 'null'), JSON.parse(after ?? 'null'))]
}

function* paths(path: string, before: unknown, after: unknown): Generator<string> {
  if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) yield* paths(`${path}.${key}`, before[key], after[key])
  } else if (JSON.stringify(before) !== JSON.stringify(after)) {
    yield path
  }
}
