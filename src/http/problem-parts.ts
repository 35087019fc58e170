import type { ErrorDetails } from '../kernel/error.ts'
import type { InvalidPart } from './http.errors.ts'

/** What a refusal says of itself, before it is told in a language. */
export interface ProblemParts {
  readonly code: string
  /** Where the product's table doesn't know it. */
  readonly status?: number
  /** In English, by whoever refused. */
  readonly detail: string
  /** What other languages fill in. */
  readonly details?: ErrorDetails
  /** What other languages say it as, where the code alone would say too much or too little. */
  readonly saysAs?: string
  readonly errors?: readonly InvalidPart[]
}
