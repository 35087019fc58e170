import type { PGlite } from '@electric-sql/pglite'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  PGliteAdapter,
  PGliteDialect,
  type QueryResult,
  type TransactionSettings,
} from 'kysely'
import { EmbeddedDatabaseBusyError } from './orm.errors.ts'
import { type Statement, Unsent, unsentQuestion } from './unsent.ts'

export interface EmbeddedDialectOptions {
  /** Runs once, before the first statement: roles and the role to work as. */
  readonly onOpen?: (pglite: PGlite) => Promise<void>
  readonly onClose?: () => Promise<void>
  /** How long the open transaction may stand idle, while others wait, before a waiter is told. */
  readonly patienceMs?: number
}

/**
 * PGlite has one connection, so transactions take turns. Kysely's own dialect lets a second EntityManager inside an open transaction
 * wait for ever, and drops isolation levels; this one waits in line, notices a holder that has fallen silent, and says so.
 */
export class EmbeddedDialect extends PGliteDialect {
  readonly #open: () => Promise<PGlite>
  readonly #options: EmbeddedDialectOptions

  constructor(open: () => Promise<PGlite>, options: EmbeddedDialectOptions = {}) {
    super({ pglite: open })
    this.#open = open
    this.#options = options
  }

  override createDriver(): Driver {
    return new EmbeddedDriver(this.#open, this.#options)
  }

  /** Kysely would otherwise put its own endless queue in front of ours. */
  override createAdapter(): PGliteAdapter {
    return new QueueingAdapter()
  }
}

class QueueingAdapter extends PGliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

class EmbeddedDriver implements Driver {
  readonly #open: () => Promise<PGlite>
  readonly #options: EmbeddedDialectOptions
  readonly #patienceMs: number
  readonly #waiting: (() => void)[] = []
  #connection!: EmbeddedConnection
  #taken = false

  constructor(open: () => Promise<PGlite>, options: EmbeddedDialectOptions) {
    this.#open = open
    this.#options = options
    this.#patienceMs = options.patienceMs ?? 3_000
  }

  async init(): Promise<void> {
    const pglite = await this.#open()
    await this.#options.onOpen?.(pglite)
    this.#connection = new EmbeddedConnection(pglite)
  }

  /** PGlite itself belongs to whoever opened it: migrations and the application share one instance. */
  async destroy(): Promise<void> {
    await this.#options.onClose?.()
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#taken) await this.#turn()
    this.#taken = true
    this.#connection.touch()
    return this.#connection
  }

  async releaseConnection(): Promise<void> {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#taken = false
  }

  async beginTransaction(connection: DatabaseConnection, { isolationLevel, accessMode }: TransactionSettings): Promise<void> {
    const modes = [isolationLevel && `isolation level ${isolationLevel}`, accessMode].filter(Boolean).join(', ')
    this.#connection.unsent = new Unsent()
    await connection.executeQuery(CompiledQuery.raw(`begin ${modes}`))
  }

  async commitTransaction(): Promise<void> {
    await this.#connection.end('commit', this.#connection.unsent.atCommit())
  }

  async rollbackTransaction(): Promise<void> {
    await this.#connection.end('rollback')
  }

  async savepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`savepoint ${name}`))
  }

  async rollbackToSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`rollback to savepoint ${name}`))
  }

  async releaseSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`release savepoint ${name}`))
  }

  #turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = () => {
        clearInterval(watch)
        resolve()
      }
      const watch = setInterval(() => {
        const idleMs = this.#connection.idleMs()
        if (idleMs < this.#patienceMs) return
        clearInterval(watch)
        this.#waiting.splice(this.#waiting.indexOf(enter), 1)
        reject(new EmbeddedDatabaseBusyError(idleMs))
      }, this.#patienceMs / 10)
      this.#waiting.push(enter)
    })
  }
}

class EmbeddedConnection implements DatabaseConnection {
  readonly #pglite: PGlite
  #running = 0
  #lastUsed = 0
  unsent = new Unsent()

  constructor(pglite: PGlite) {
    this.#pglite = pglite
  }

  touch(): void {
    this.#lastUsed = performance.now()
  }

  idleMs(): number {
    return this.#running > 0 ? 0 : Math.round(performance.now() - this.#lastUsed)
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    if (sql === unsentQuestion) return { rows: [this.unsent as R] }
    for (const { text, values } of this.unsent.before(sql)) await this.#query(text, values)
    return this.#query(sql, parameters)
  }

  async end(word: 'commit' | 'rollback', last: readonly Statement[] = []): Promise<void> {
    this.unsent = new Unsent()
    for (const { text, values } of last) await this.#query(text, values)
    await this.#query(word, [])
  }

  async #query<R>(text: string, values: readonly unknown[]): Promise<QueryResult<R>> {
    this.#running++
    try {
      const { rows, affectedRows } = await this.#pglite.query<R>(text, [...values])
      return { rows, ...(affectedRows === undefined ? {} : { numAffectedRows: BigInt(affectedRows) }) }
    } finally {
      this.#running--
      this.touch()
    }
  }

  // oxlint-disable-next-line require-yield -- Kysely asks for a generator, and PGlite can't stream
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('The embedded database can’t stream. Page through the rows, or use a PostgreSQL server.')
  }
}
