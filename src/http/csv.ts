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

/**
 * What a spreadsheet takes for the beginning of a formula, in either width, where it takes it for that: first in a cell, behind whatever it
 * passes over because nobody sees it. Where lists are written with semicolons or tabs, a cell of ours is cut there (and at its lines) and
 * goes on as another. Looked for from its end, because looking back from everywhere takes the square of the time.
 */
const formula = /[=+\-@＝＋－＠﹢﹣﹦﹫](?<=(?:^|[;\t\r\n])["\p{Z}\p{Cc}\p{Default_Ignorable_Code_Point}]*.)|^[\t\r\n]/gu

/** What would run as a formula becomes text, by an apostrophe before it; somebody may have put it into a title. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return `"${text.replaceAll(formula, "'$&").replaceAll('"', '""')}"`
}
