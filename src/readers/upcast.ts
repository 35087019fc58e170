import type { AuditEvent } from '../audit/index.ts'
import type { PastShape } from '../orm/index.ts'

type Told = Pick<AuditEvent, 'changed' | 'before' | 'after'>
type Values = Record<string, unknown>

/** What `daybook_upcast` does for folds, for a single event: it takes the steps that came after it was written. */
export function inTodaysShape(event: Told & { readonly schemaVersion: number }, past: readonly PastShape[]): Told {
  const steps = past.slice(event.schemaVersion - 1)
  if (steps.length === 0) return event
  const { changed, before, after } = event
  return {
    changed: changed ? steps.reduce<string[]>(renamedPaths, changed) : null,
    before: before ? steps.reduce(reshaped, before) : null,
    after: after ? steps.reduce(reshaped, after) : null,
  }
}

function reshaped(told: Values, { renamed = {}, removed = [], values = {} }: PastShape): Values {
  const entries = Object.entries(told).map(([column, value]) => [renamed[column] ?? column, value] as const)
  const kept = entries.filter(([column]) => !removed.includes(column))
  return Object.fromEntries(kept.map(([column, value]) => [column, instead(values[column], value)]))
}

/** What stands for a value now, which may be nothing. For nothing itself there is no other word. */
function instead(words: Values = {}, value: unknown): unknown {
  const word = typeof value === 'string' ? value : JSON.stringify(value)
  return value !== null && Object.hasOwn(words, word) ? words[word] : value
}

function renamedPaths(paths: string[], { renamed = {}, removed = [] }: PastShape): string[] {
  const moved = paths.map(path => {
    const [column, ...below] = path.split('.')
    return [renamed[column!] ?? column!, ...below].join('.')
  })
  return moved.filter(path => !removed.includes(path.split('.')[0]!))
}
