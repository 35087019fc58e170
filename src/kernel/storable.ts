/** What PostgreSQL can keep of a text: scanners, models and programs also write NUL and halves of characters. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}

/** What it can keep of a value, as JSON; throws where that can't tell it at all: a bigint, or something that holds itself. */
export function storableJson(value: unknown): unknown {
  return cleaned(JSON.parse(JSON.stringify(value) ?? 'null'))
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value)
  if (Array.isArray(value)) return value.map(cleaned)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [storableText(key), cleaned(each)]))
}
