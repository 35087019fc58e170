import { RowLevelSecurityViolationException } from '@mikro-orm/core'
import { TenantContextMissingError } from '../context/index.ts'
import { DaybookError } from '../kernel/error.ts'
import { IdentityImmutableError, TenantMismatchError } from './orm.errors.ts'

interface DriverError extends Error {
  readonly code?: string
  readonly table?: string
}

/**
 * The one place where PostgreSQL's words become ours. Only what isolation raises is translated; unique, check and foreign key
 * violations keep the ORM's own exceptions, which callers know.
 */
export function translateDriverError(error: unknown): unknown {
  if (error instanceof DaybookError || !(error instanceof Error)) return error
  const { code, message, table } = error as DriverError
  const options = { cause: error }
  if (code === 'DB002')
    return new IdentityImmutableError(table ?? 'the table', /([\w, ]+) of table/.exec(message)?.[1] ?? 'its id', options)
  if (error instanceof RowLevelSecurityViolationException || (code === '42501' && message.includes('row-level security'))) {
    return new TenantMismatchError(/for table "([^"]+)"/.exec(message)?.[1] ?? 'the table', options)
  }
  // A policy that asks for a variable which was never set (42704), or was set in an earlier transaction and reads '' now (22P02).
  if (code === '42704' && message.includes('unrecognized configuration parameter')) return contextMissing(options)
  if (code === '22P02' && message.includes('uuid: ""')) return contextMissing(options)
  return error
}

function contextMissing(options: ErrorOptions): TenantContextMissingError {
  return new TenantContextMissingError('The table', 'query', options)
}
