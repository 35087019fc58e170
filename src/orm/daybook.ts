import { type EntityManager, IsolationLevel, type MikroORM } from '@mikro-orm/core'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentScope, policyVariables, resolveScope, type Scope, type ScopeInput, sessionVariables } from '../context/index.ts'
import { transactUntil } from './abandon.ts'
import { askAtOnce, type Question, type StoredRow } from './ask.ts'
import { emOfWork, withAtHand } from './at-hand.ts'
import { translateDriverError } from './driver-errors.ts'
import { DaybookEmbeddedDriver, type DaybookServerDriver } from './drivers.ts'
import { OperatorUnavailableError } from './orm.errors.ts'
import { ormOf } from './orm-registry.ts'
import { type Counts, observed } from './observed.ts'
import { operatorRole, type RunSql } from './roles.ts'
import type { ScopedEntityManager } from './scoped-entity-manager.ts'
import { isAfterFailure, isConflict } from './transient.ts'
import { type Unsent, unsentOf } from './unsent.ts'

/** Bounds that travel with each transaction, because a pooler keeps nothing that was set on a connection. */
export interface TransactionLimits {
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  readonly idleTimeoutMs: number
}

/** Runs something in a transaction of one scope. */
export type Transact = <T>(work: (em: ScopedEntityManager) => Promise<T>) => Promise<T>

export interface TransactOptions {
  readonly readOnly?: boolean
  readonly isolation?: IsolationLevel
  /** How often a transaction is tried that lost a serialization conflict or a deadlock. */
  readonly attempts?: number
  /** For what runs by itself, over and over, and would drown the application's statements in the query log. */
  readonly unlogged?: boolean
  /** Asked before the transaction's first statement, in one message with it: where it fails, nothing of the transaction is done. */
  readonly first?: Question
  /** Ends the transaction before its commit, and what it is running, when nobody waits for it any more. */
  readonly signal?: AbortSignal
}

/** What holds where nothing else was said. */
export const defaultLimits: TransactionLimits = { statementTimeoutMs: 30_000, lockTimeoutMs: 10_000, idleTimeoutMs: 60_000 }

export interface DaybookParts {
  readonly orm: MikroORM
  readonly limits: TransactionLimits
  /** Opens the operator's own connection; on the embedded database the operator is a role that the process may take. */
  readonly openOperator?: () => Promise<MikroORM>
  readonly embedded: boolean
  /** Where this process serves: organizations whose data is kept elsewhere are refused. */
  readonly region?: string
  /** The name of this installation in the checkpoints of its logs: a name that nobody else uses. `daybook` unless said otherwise. */
  readonly installation?: string
  /** How busy the application's connections are; the embedded database has but one. */
  readonly pool?: () => PoolState | undefined
  readonly onClose?: () => Promise<void>
}

type SettingsAround = Partial<Pick<DaybookParts, 'limits' | 'region' | 'installation'>>

export interface PoolState {
  readonly max: number
  readonly size: number
  readonly idle: number
  readonly waiting: number
}

/** An open database. Every EntityManager that reaches a tenant's rows comes from here, bound to one scope. */
export class Daybook implements AsyncDisposable {
  readonly orm: MikroORM
  readonly embedded: boolean
  readonly region: string | undefined
  readonly installation: string
  readonly #parts: DaybookParts
  readonly #limits: Record<string, string>
  #operator: Promise<MikroORM> | undefined
  #closing: Promise<void> | undefined

  constructor(parts: DaybookParts) {
    this.#parts = parts
    this.orm = parts.orm
    this.embedded = parts.embedded
    this.region = parts.region
    this.installation = parts.installation ?? 'daybook'
    this.#limits = {
      statement_timeout: `${parts.limits.statementTimeoutMs}ms`,
      lock_timeout: `${parts.limits.lockTimeoutMs}ms`,
      idle_in_transaction_session_timeout: `${parts.limits.idleTimeoutMs}ms`,
    }
  }

  /** Around the EntityManager that the ORM hands to a seeder. It works as the role that the ORM connected as; the ORM closes it. */
  static around(em: EntityManager, { limits = defaultLimits, region, installation }: SettingsAround = {}): Daybook {
    const orm = ormOf(em)
    const embedded = orm.driver instanceof DaybookEmbeddedDriver
    return new Daybook({ orm, limits, embedded, ...(region && { region }), ...(installation && { installation }) })
  }

  /** An EntityManager for one tenant and one actor, for one unit of work. Making one costs microseconds: take a new one for each. */
  scope(input: Exclude<ScopeInput, { kind: 'operator' }>): ScopedEntityManager {
    return this.#enter(this.orm, resolveScope(input))
  }

  /** Platform work across tenants, through another database role. The reason is part of the record. */
  async operatorScope(input: Extract<ScopeInput, { kind: 'operator' }>): Promise<ScopedEntityManager> {
    const scope = resolveScope(input)
    return this.#enter(await this.#operatorOrm(), scope)
  }

  /**
   * The EntityManager of the work at hand, for code that was handed none: that of the innermost `transact` in a tenant, so what it does
   * commits with the rest. Where only a scope is at hand (`tenantContext`), a new one for it.
   */
  current(): ScopedEntityManager {
    const scope = currentScope()
    return emOfWork(this) ?? this.#enter(this.orm, scope)
  }

  /** Whether work across tenants is possible: on a server its own connection is needed. */
  get hasOperator(): boolean {
    return this.embedded || this.#parts.openOperator !== undefined
  }

  get pool(): PoolState | undefined {
    return this.#parts.pool?.()
  }

  /**
   * One transaction, committed with everything in it or not at all. A transaction that lost against another (40001, 40P01) is tried again
   * with a fresh EntityManager, so `work` must touch nothing outside the database that it can't touch twice.
   */
  transact<T>(input: ScopeInput, work: (em: ScopedEntityManager) => Promise<T>, options: TransactOptions = {}): Promise<T> {
    const { attempts = 3 } = options
    return observed(this, 'kind' in input ? input.kind : 'tenant', async counts => {
      for (;;) {
        counts.attempts++
        try {
          return await this.#transactOnce(input, work, options, counts)
        } catch (error) {
          if (counts.attempts >= attempts || !isConflict(error)) throw translateDriverError(error, this.orm.getMetadata())
          await sleep(2 ** counts.attempts * 10 * (0.5 + Math.random()))
        }
      }
    })
  }

  /**
   * Asks all at once, in a read-only transaction of its own: the questions see one snapshot, and none waits for the answer to another. On a
   * server all of it is one message, so it costs one round trip; the rows come as they are stored, and become no entities.
   */
  ask(
    input: Exclude<ScopeInput, { kind: 'operator' }>,
    questions: readonly Question[],
    { signal }: Pick<TransactOptions, 'signal'> = {},
  ): Promise<StoredRow[][]> {
    if (this.embedded) return this.transact(input, em => oneByOne(em, questions), { ...snapshot, ...(signal && { signal }) })
    return observed(this, 'kind' in input ? input.kind : 'tenant', async counts => {
      counts.attempts = 1
      const variables = { ...policyVariables(resolveScope(input)), statement_timeout: this.#limits.statement_timeout! }
      return askAtOnce(this.orm, variables, questions, signal).catch((error: unknown) =>
        Promise.reject(translateDriverError(error, this.orm.getMetadata())),
      )
    })
  }

  async #transactOnce<T>(
    input: ScopeInput,
    work: (em: ScopedEntityManager) => Promise<T>,
    { readOnly, isolation, unlogged, first, signal }: TransactOptions,
    counts: Counts,
  ): Promise<T> {
    const em = 'kind' in input && input.kind === 'operator' ? await this.operatorScope(input) : this.scope(input)
    if (unlogged) em.silence()
    const options = {
      ...(unlogged && { loggerContext: em.getLoggerContext() }),
      ...(readOnly && { readOnly }),
      ...(isolation && { isolationLevel: isolation }),
    }
    let unsent: Unsent | undefined
    const whole = async () => {
      unsent = await unsentOf(em.getTransactionContext<object>()!)
      if (first) unsent.first = { text: em.getPlatform().formatQuery(first.sql, first.params), values: [] }
      const done = 'tenant' in input ? withAtHand({ daybook: this, input, em }, () => work(em)) : work(em)
      const result = await done.catch(async (error: unknown) => {
        // Who isn't let in shall hear of that, and not of what else is wrong.
        if (first && (unsent!.first || isAfterFailure(error))) await em.execute('select 1')
        throw error
      })
      if (em.flushesUnheard) unsent.endsWithFlushOf = em
      return result
    }
    const result = await (signal ? transactUntil(signal, em, whole, options) : em.transactAlone(whole, options))
    counts.events = unsent?.outbox?.written ?? 0
    return result
  }

  close(): Promise<void> {
    // Once, however often it is asked: by hand, and by `await using` at the end of the same block.
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    const operator = await this.#operator?.catch(() => undefined)
    await operator?.close()
    await this.orm.close()
    await this.#parts.onClose?.()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #enter(orm: MikroORM, scope: Scope): ScopedEntityManager {
    const variables = { ...sessionVariables(scope), ...this.#limits }
    const role = scope.kind === 'operator' && this.embedded ? operatorRole : undefined
    return (orm.em as unknown as ScopedEntityManager).forkInto(scope, { variables, ...(role && { role }) })
  }

  #operatorOrm(): Promise<MikroORM> {
    if (this.embedded) return Promise.resolve(this.orm)
    if (!this.#parts.openOperator) throw new OperatorUnavailableError()
    this.#operator ??= this.#parts.openOperator().catch((error: unknown) => {
      // Whoever works across tenants next tries again: the database may have been away for a moment alone.
      this.#operator = undefined
      throw error
    })
    return this.#operator
  }
}

/** A read sees one snapshot, however many statements it takes. */
export const snapshot = { readOnly: true, isolation: IsolationLevel.REPEATABLE_READ } as const satisfies TransactOptions

async function oneByOne(em: ScopedEntityManager, questions: readonly Question[]): Promise<StoredRow[][]> {
  const answers: StoredRow[][] = []
  for (const { sql, params } of questions) answers.push(await em.execute<StoredRow[]>(sql, [...params]))
  return answers
}

/** For the host's own questions about the catalogue, which would drown the application's statements in the query log. */
export function runUnlogged({ orm }: Daybook): RunSql {
  return sql =>
    (orm.driver as DaybookServerDriver | DaybookEmbeddedDriver).getConnection().execute(sql, [], 'all', undefined, { enabled: false })
}
