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
  return text === null ? null : (JSON.parse(text, exactly) as Record<string, unknown>)
}

function exactly(_key: string, value: unknown, context?: { source?: string }): unknown {
  const isRounded = typeof value === 'number' && context?.source !== undefined && /^-?\d{16,}$/.test(context.source)
  return isRounded && !Number.isSafeInteger(value) ? context.source : value
}
