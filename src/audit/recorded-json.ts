import { Type } from '@mikro-orm/core'

/**
 * What an event holds, read from the text that is stored: a number that JavaScript can't hold exactly becomes a string with all its
 * digits, where the driver's own reading would round it.
 */
export class RecordedJson extends Type<Record<string, unknown> | null, string | null> {
  override convertToJSValueSQL(key: string): string {
    return `${key}::text`
  }

  override convertToJSValue(value: string | null): Record<string, unknown> | null {
    return exactJson(value)
  }

  override getColumnType(): string {
    return 'json'
  }
}

export function exactJson(text: string | null): Record<string, unknown> | null {
  if (text === null) return null
  // Looking at every value takes ten times as long as parsing, and hardly any event holds such a number.
  return (manyDigits.test(text) ? exactly(text) : JSON.parse(text)) as Record<string, unknown>
}

/** What no number without them is rounded by. */
const manyDigits = /[\d.]{16}/

/** In a document a large number stays one that says all of its digits, as whoever put it there had it; a column's is a string, as the driver gives it. */
function exactly(text: string): unknown {
  const large: { holder: Record<string, unknown>; key: string; source: string }[] = []
  const document: unknown = JSON.parse(text, function (this: Record<string, unknown>, key, value: unknown, context?: { source?: string }) {
    const source = context?.source
    if (typeof value !== 'number' || source === undefined || !/^-?\d+(\.\d+)?$/.test(source)) return value
    if (digitsOf(String(value)) !== digitsOf(source)) return source
    if (!source.includes('.') && source.length > 15 && !Number.isSafeInteger(value)) large.push({ holder: this, key, source })
    return value
  })
  for (const { holder, key, source } of large) if (holder === document) holder[key] = source
  return document
}

/** Those that count, wherever its point is. */
function digitsOf(number: string): string {
  return number
    .replace(/e.*$/, '')
    .replaceAll(/[-.]/g, '')
    .replaceAll(/^0+|0+$/g, '')
}
