import { type MetadataStorage, RowLevelSecurityViolationException } from '@mikro-orm/core'
import { TenantContextMissingError } from '../context/index.ts'
import { DaybookError } from '../kernel/error.ts'
import { oncePer } from '../kernel/once-per.ts'
import { tablesOf } from './discovery.ts'
import { DatabaseNotMigratedError, IdentityImmutableError, TenantMismatchError } from './orm.errors.ts'

interface DriverError extends Error {
  readonly code?: string
  readonly table?: string
}

/**
 * The one place where PostgreSQL's words become ours. Only what isolation raises is translated, and what of the model the database doesn't
 * have yet; unique, check and foreign key violations keep the ORM's own exceptions, which callers know.
 */
export function translateDriverError(error: unknown, model?: MetadataStorage): unknown {
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
  const lacking = lackingIn(code, message, model)
  return lacking ? new DatabaseNotMigratedError(lacking, options) : error
}

/** A table or function of ours. What somebody's own statement has misspelled is theirs to find. */
function lackingIn(code: string | undefined, message: string, model: MetadataStorage | undefined): string | undefined {
  if (code === '42883') {
    const [, name] = /function (daybook_\w+)\(/.exec(message) ?? []
    return name && `function ${name}`
  }
  if (code !== '42P01') return undefined
  const [, name] = /relation "(?:public\.)?(\w+)" does not exist/.exec(message) ?? []
  return name && model && namesOfTables(model).has(name) ? `table ${name}` : undefined
}

/** Those of the log and the ledger that no entity stands for begin like the rest of theirs. */
const namesOfTables = oncePer(
  (model: MetadataStorage): ReadonlySet<string> =>
    new Set([
      ...tablesOf(model).map(({ tableName }) => tableName),
      'audit_subscription',
      'audit_person_key',
      'audit_personal',
      'ledger_tile',
    ]),
)

function contextMissing(options: ErrorOptions): TenantContextMissingError {
  return new TenantContextMissingError('The table', 'query', options)
}
