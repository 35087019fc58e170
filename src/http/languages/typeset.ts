import type { ErrorDetails } from '../../kernel/error.ts'

const thin = '\u202F'
const wide = '\u00A0'

/** French text with the spaces that French puts before its punctuation. What is filled in stays as it is. */
export function fr(words: TemplateStringsArray, ...values: readonly (ErrorDetails[string] | undefined)[]): string {
  return words.map((part, index) => spaced(part) + (index < values.length ? shown(values[index]) : '')).join('')
}

function spaced(text: string): string {
  return text
    .replaceAll(/ ([;!?])/g, `${thin}$1`)
    .replaceAll(' :', `${wide}:`)
    .replaceAll('« ', `«${wide}`)
    .replaceAll(' »', `${wide}»`)
}

function shown(value: ErrorDetails[string] | undefined): string {
  return Array.isArray(value) ? value.join(', ') : String(value ?? '')
}
