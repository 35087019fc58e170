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
  return (manyDigits.test(text) ? JSON.parse(text, exactly) : JSON.parse(text)) as Record<string, unknown>
}

/** What no number without them is rounded by. */
const manyDigits = /[\d.]{16}/

function exactly(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source
  if (typeof value !== 'number' || source === undefined || !/^-?\d+(\.\d+)?$/.test(source)) return value
  const isRounded = source.includes('.') ? digitsOf(String(value)) !== digitsOf(source) : source.length > 15 && !Number.isSafeInteger(value)
  return isRounded ? source : value
}

/** Those that count, wherever its point is. */
function digitsOf(number: string): string {
  return number
    .replace(/e.*$/, '')
    .replaceAll(/[-.]/g, '')
    .replaceAll(/^0+|0+$/g, '')
}
