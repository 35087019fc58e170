/**
 * One text for one value, whatever order its keys were written in: keys sorted by UTF-16 units, no spaces, numbers as JavaScript writes
 * them (RFC 8785). Digests are taken over it.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  const plain: unknown = 'toJSON' in value && typeof value.toJSON === 'function' ? (value.toJSON() as unknown) : value
  if (plain === null || typeof plain !== 'object') return canonicalJson(plain)
  if (Array.isArray(plain)) return `[${plain.map(canonicalJson).join(',')}]`
  const entries = Object.entries(plain).filter(([, item]) => item !== undefined)
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`
}
