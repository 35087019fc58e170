import {
  CheckConstraintViolationException,
  DriverException,
  ForeignKeyConstraintViolationException,
  NotFoundError,
  OptimisticLockError,
  UniqueConstraintViolationException,
} from '@mikro-orm/core'
import { DaybookError } from '../kernel/error.ts'
import { OutcomeUnknownError, translateDriverError } from '../orm/index.ts'
import { HostBusyError, RequestInvalidError } from './http.errors.ts'
import type { ProblemParts } from './problem-parts.ts'
import { type OwnStatuses, statusOfCode } from './problems.ts'

const internal: ProblemParts = { code: 'internal', detail: 'Something went wrong here. The request id finds it in the log.' }

/** What an error says to whoever sent the request: its own words when it is meant for them, and otherwise no more than they need. */
export function problemOf(thrown: unknown, own?: OwnStatuses): ProblemParts {
  return knownProblemOf(thrown, own) ?? fromFastify(thrown) ?? internal
}

/** What Daybook and its database say, and nothing of what an application around them may mean by an error. */
export function knownProblemOf(thrown: unknown, own: OwnStatuses = {}): ProblemParts | undefined {
  const error = translateDriverError(thrown)
  if (error instanceof RequestInvalidError) return { code: error.code, detail: error.message, errors: error.errors }
  // Who asked has to know, although they can't help it.
  if (error instanceof OutcomeUnknownError || error instanceof HostBusyError) return { code: error.code, detail: error.message }
  if (error instanceof DaybookError) return fromDaybook(error, own)
  return fromOrm(error) ?? fromPool(error) ?? fromState(stateOf(error))
}

/** What somebody else was asked for, who failed. */
const upstream: ReadonlySet<number> = new Set([502, 504])

/** A message is written for whoever can act on it; with a 5xx that isn't the caller, who still has to know whose failure it was. */
function fromDaybook({ code, message, details }: DaybookError, own: OwnStatuses): ProblemParts {
  const status = statusOfCode(code) ?? own[code] ?? 500
  if (status < 500 || upstream.has(status)) return { code, status, detail: message, details }
  if (status !== 503) return internal
  return { code, detail: 'The database can’t be worked with right now. Try again in a moment.', saysAs: 'http.busy' }
}

function fromOrm(error: unknown): ProblemParts | undefined {
  if (error instanceof NotFoundError) return { code: 'http.not_found', detail: 'There is no such thing here.' }
  if (error instanceof OptimisticLockError) {
    return { code: 'http.version_conflict', detail: 'Somebody else changed it meanwhile. Read it again, then repeat the change.' }
  }
  if (error instanceof UniqueConstraintViolationException) return { code: 'http.conflict', detail: 'There is one like this already.' }
  if (error instanceof ForeignKeyConstraintViolationException) {
    return { code: 'http.reference_refused', detail: 'It refers to something that doesn’t exist here, or something still refers to it.' }
  }
  if (error instanceof CheckConstraintViolationException)
    return { code: 'http.value_refused', detail: 'A value breaks a rule of the database.' }
  return undefined
}

/** The pool's words for nobody having given a connection back in time; it has no others. */
function fromPool(error: unknown): ProblemParts | undefined {
  const hasWaited = error instanceof Error && error.message.includes('timeout exceeded when trying to connect')
  return hasWaited ? { code: 'http.busy', detail: 'The database has no connection free. Nothing was changed; try again.' } : undefined
}

const states: Readonly<Record<string, ProblemParts>> = {
  '57014': { code: 'http.timeout', detail: 'It took too long and was stopped. Nothing was changed.' },
  '55P03': { code: 'http.busy', detail: 'Somebody else is changing the same thing. Nothing was changed; try again.' },
  '40001': { code: 'http.busy', detail: 'Others changed the same things meanwhile. Nothing was changed; try again.' },
  '40P01': { code: 'http.busy', detail: 'Others changed the same things meanwhile. Nothing was changed; try again.' },
  '53300': { code: 'http.busy', detail: 'The database takes no more connections right now. Try again in a moment.' },
}

/** Class 22 is a value that no column can hold, 54 one that is too much for an index or the like, 08 and 57P a database that went away. */
function fromState(state: string | undefined): ProblemParts | undefined {
  if (state === undefined) return undefined
  if (state.startsWith('22') || state.startsWith('54')) return { code: 'http.value_refused', detail: 'A value can’t be stored.' }
  if (state.startsWith('08') || state.startsWith('57P'))
    return { code: 'http.busy', detail: 'The database went away. Try again in a moment.' }
  return states[state]
}

function stateOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined
  const fromDatabase = error instanceof DriverException || (typeof code === 'string' && /^[0-9][0-9A-Z]{4}$/.test(code))
  return fromDatabase && typeof code === 'string' ? code : undefined
}

const invalid = (detail: string): ProblemParts => ({ code: 'http.invalid_request', detail, saysAs: 'http.unreadable_request' })

const frameworkErrors: Readonly<Record<string, ProblemParts>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'http.body_too_large', detail: 'The body is larger than what is read here.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'http.media_type', detail: 'Bodies are read as application/json only.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: invalid('The body is not as long as Content-Length says.'),
  FST_ERR_CTP_INVALID_JSON_BODY: invalid('The body is not valid JSON.'),
  FST_ERR_BAD_URL: invalid('The address is not a valid URL.'),
  FST_ERR_MAX_PARAM_LENGTH: { code: 'http.address_too_long', detail: 'A part of the path is too long.' },
}

function fromFastify(error: unknown): ProblemParts | undefined {
  const { code, statusCode } = error instanceof Error ? (error as { code?: string; statusCode?: number }) : {}
  if (code !== undefined && Object.hasOwn(frameworkErrors, code)) return frameworkErrors[code]
  const isUnreadable = statusCode === 400 && (code?.startsWith('FST_') || error instanceof SyntaxError)
  return isUnreadable ? invalid('The request can’t be read.') : undefined
}
