import {
  type Configuration,
  type DriverException,
  EventType,
  LockMode,
  OptimisticLockError,
  type Platform,
  type QueryResult,
  type SessionContext,
} from '@mikro-orm/core'
import { PgliteDriver } from '@mikro-orm/pglite'
import { PostgreSqlDriver } from '@mikro-orm/postgresql'
import type { AbstractSqlConnection, AbstractSqlDriver } from '@mikro-orm/sql'
import { CompiledQuery, type Transaction } from 'kysely'
import { DaybookError } from '../kernel/error.ts'
import { translateDriverError } from './driver-errors.ts'
import { isReadOnly, lensOf, noteReadOnly, throughLens } from './lens.ts'
import { noteSavepoint } from './savepoints.ts'
import { knownUnsentOf, literal, noteUnsent, setLocal, type Unsent } from './unsent.ts'

/** The ORM's drivers: their errors pass through our translation, and they know when a flush is speaking. */
export class DaybookServerDriver extends PostgreSqlDriver {
  constructor(config: Configuration) {
    super(config)
    prepare(this)
    setWithoutAnswer(this.getConnection())
  }

  override convertException(exception: Error): DriverException {
    return translated(this, exception, error => super.convertException(error))
  }
}

export class DaybookEmbeddedDriver extends PgliteDriver {
  constructor(config: Configuration) {
    super(config)
    prepare(this)
  }

  override convertException(exception: Error): DriverException {
    return translated(this, exception, error => super.convertException(error))
  }
}

function prepare(driver: DaybookServerDriver | DaybookEmbeddedDriver): void {
  heedFlushes(driver)
  endWhatBeginsBadly(driver.getConnection())
  heedLenses(driver.getConnection())
  knowSavepoints(driver.getConnection())
  quoteArrayElements(driver.getPlatform())
  quoteInOnePiece(driver.getPlatform())
}

/** Where a subscriber refuses what has just begun, the ORM forgets it, and its connection would never come back to the pool. */
function endWhatBeginsBadly(connection: Pick<AbstractSqlConnection, 'begin' | 'rollback'>): void {
  const begin = connection.begin.bind(connection)
  connection.begin = async ({ eventBroadcaster, ...options } = {}) => {
    await eventBroadcaster?.dispatchEvent(EventType.beforeTransactionStart, options.ctx)
    const transaction = await begin(options)
    try {
      await eventBroadcaster?.dispatchEvent(EventType.afterTransactionStart, transaction)
    } catch (error) {
      await connection.rollback(transaction, eventBroadcaster, options.loggerContext)
      throw error
    }
    return transaction
  }
}

/** A transaction that opens with the session of a lens looks through it, and only reads. */
function heedLenses(connection: Pick<AbstractSqlConnection, 'begin'>): void {
  const begin = connection.begin.bind(connection)
  connection.begin = async (options = {}) => {
    const lens = lensOf(options.ctx) ?? lensOf(options.sessionContext)
    const readOnly = lens !== undefined || options.readOnly === true
    const transaction = await begin({ ...options, ...(lens && { readOnly }) })
    // A savepoint may do what its transaction may.
    if (options.ctx ? isReadOnly(options.ctx) : readOnly) noteReadOnly(transaction)
    return lens ? throughLens(transaction, lens) : transaction
  }
}

/** The ORM goes on with a savepoint whose transaction has ended, on a connection that somebody else may have. */
function knowSavepoints(connection: Pick<AbstractSqlConnection, 'begin'>): void {
  const begin = connection.begin.bind(connection)
  connection.begin = async options => {
    const transaction = await begin(options)
    if (options?.ctx) noteSavepoint(transaction, options.ctx)
    return transaction
  }
}

interface OpeningSession {
  applySessionContext(transaction: Transaction<unknown>, session: SessionContext): Promise<void>
}

/** The ORM asks for the session's variables as a row of as many columns, which takes longer to read than they take to set. */
function setWithoutAnswer(connection: object): void {
  const opening = connection as OpeningSession
  opening.applySessionContext = async (transaction, { variables = {}, role }) => {
    const statements = Object.entries(variables).map(([name, value]) => setLocal(name, String(value)))
    if (role) statements.push(`set local role "${role.replaceAll('"', '""')}"`)
    if (statements.length === 0) return
    const { rows } = await transaction.executeQuery<Unsent>(CompiledQuery.raw(statements.join('; ')))
    if (rows[0]) noteUnsent(transaction, rows[0])
  }
}

/** The ORM writes a text like ' a ' or 'null' without quotes, and PostgreSQL then reads 'a' or nothing. Elements may be numbers, as its own types give them. */
function quoteArrayElements(platform: Platform): void {
  platform.marshallArray = (values: readonly (string | number | bigint | boolean | null)[]) =>
    `{${values.map(value => (value === null ? 'NULL' : `"${String(value).replaceAll(/["\\]/g, String.raw`\$&`)}"`)).join(',')}}`
}

/** The ORM puts a literal together character by character, which for a row of some length allocates more than all else that a flush does. */
function quoteInOnePiece(platform: Platform): void {
  Object.assign(platform, { escapeLiteral: literal })
}

type Flushing = Pick<AbstractSqlDriver, 'find' | 'nativeUpdate' | 'nativeUpdateMany' | 'nativeDelete' | 'syncCollections'>

/**
 * A flush is told when one of its rows is gone or was changed meanwhile, which for an entity without a version the ORM passes over. And
 * what a collection writes, which no change set describes, doesn't count as the unit of work's.
 */
function heedFlushes(driver: Flushing): void {
  const find = driver.find.bind(driver)
  const update = driver.nativeUpdate.bind(driver)
  const updateMany = driver.nativeUpdateMany.bind(driver)
  const remove = driver.nativeDelete.bind(driver)
  const syncCollections = driver.syncCollections.bind(driver)
  driver.find = (entity, where, options) => find(entity, where, lockedInFlush(options))
  driver.nativeUpdate = async (entity, where, data, options) => hitAll(1, options, await update(entity, where, data, options))
  driver.nativeUpdateMany = async (entity, where, data, options, transform) =>
    hitAll(where.length, options, await updateMany(entity, where, data, options, transform))
  driver.nativeDelete = async (entity, where, options) => hitAll(keysIn(where), options, await remove(entity, where, options))
  driver.syncCollections = (collections, options) => outsideUnit(options, () => syncCollections(collections, options))
}

/** The ORM's signature promises a DriverException, and rethrows whatever it is given. */
function translated(
  driver: DaybookServerDriver | DaybookEmbeddedDriver,
  error: Error,
  convert: (error: Error) => DriverException,
): DriverException {
  return (error instanceof DaybookError ? error : translateDriverError(convert(error), driver.getMetadata())) as DriverException
}

interface InTransaction {
  readonly ctx?: object
}

/** In a flush the ORM reads to compare versions, and writes afterwards: between the two nobody else may come. */
function lockedInFlush<T extends InTransaction>(options: T | undefined): T | undefined {
  return knownUnsentOf(options?.ctx)?.isVouching ? ({ ...options, lockMode: LockMode.PESSIMISTIC_WRITE } as unknown as T) : options
}

function hitAll<T extends object>(expected: number, options: InTransaction | undefined, result: QueryResult<T>): QueryResult<T> {
  if (knownUnsentOf(options?.ctx)?.isVouching && result.affectedRows < expected) {
    throw new OptimisticLockError(
      `The optimistic lock failed: of ${expected} rows that this unit of work changes, ${expected - result.affectedRows} were changed or removed meanwhile. Load them again.`,
    )
  }
  return result
}

function keysIn(where: unknown): number {
  const [condition] = Object.values((where ?? {}) as Record<string, { $in?: unknown[] } | undefined>)
  return condition?.$in?.length ?? 0
}

function outsideUnit(options: InTransaction | undefined, work: () => Promise<void>): Promise<void> {
  const unsent = knownUnsentOf(options?.ctx)
  return unsent ? unsent.outsideUnit(work) : work()
}
