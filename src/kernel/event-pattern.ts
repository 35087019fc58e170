/** Names of events as people who wait for them write them: `task.created`, `task.*`, or `*` for all. */
export const eventPattern = '^(\\*|[a-z][a-z0-9-]*\\.([a-z][a-z0-9-]*|\\*))$'

export function isNamedBy(pattern: string, type: string): boolean {
  return pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1)))
}
