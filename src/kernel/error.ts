import { storableText } from './storable.ts'

export type ErrorDetails = Readonly<Record<string, string | number | boolean | null | readonly string[]>>

/**
 * The one base of every error that Daybook raises on purpose. `code` is stable and documented in docs/errors.md; the message says what
 * happened to which thing and what to do next. `details` may hold ids, never personal data or secrets: they reach API answers and logs.
 */
export abstract class DaybookError extends Error {
  abstract readonly code: string
  readonly details: ErrorDetails

  constructor(message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.details = details
  }
}

/** What an error says, as far as it can be stored. Anything can be thrown, so it needn't be one. */
export function messageOf(error: unknown): string {
  return storableText(error instanceof Error ? error.message : String(error))
}
