export const eventColumns = [
  'id',
  'recordedAt',
  'type',
  'entity',
  'entityId',
  'entityVersion',
  'source',
  'actor',
  'requestId',
  'correlationId',
  'causationId',
  'decisionId',
  'reason',
  'changed',
  'before',
  'after',
] as const

export function csvLine(values: readonly unknown[]): string {
  return `${values.map(cell).join(',')}\r\n`
}

/** A spreadsheet takes what begins like a formula for one, and would run what somebody has put into a title. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return `"${harmless.replaceAll('"', '""')}"`
}
