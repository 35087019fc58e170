import {
  type Configuration,
  type Dictionary,
  type EventManager,
  type EventSubscriber,
  type ForkOptions,
  type IsolationLevel,
  type LoggingOptions,
  type MetadataStorage,
  type SessionContext,
  TransactionContext,
  TransactionEventBroadcaster,
  type TransactionOptions,
  TransactionPropagation,
} from '@mikro-orm/core'
import { type AbstractSqlDriver, BasePostgreSqlEntityManager } from '@mikro-orm/sql'
import type { Scope } from '../context/index.ts'
import { FlushAwareEventManager } from './flush-aware-event-manager.ts'
import { flushing } from './flushing.ts'
import { type Lens, lookThrough, throughLens } from './lens.ts'
import { LensKyselyError, LensWritesError, ScopeImmutableError, ScopeNeedsTransactionError, TransactionOverError } from './orm.errors.ts'
import { hasEnded } from './savepoints.ts'
import { filterParamsOf, tenantFilterName } from './tenant-filter.ts'
import { knownUnsentOf } from './unsent.ts'

interface AloneOptions {
  readonly isolationLevel?: IsolationLevel
  readonly readOnly?: boolean
  readonly loggerContext?: LoggingOptions
}

/**
 * An EntityManager bound to one scope for life. Its forks keep the scope: an identity map that outlives a change of tenant would hand
 * one tenant's entities to another.
 */
export class ScopedEntityManager extends BasePostgreSqlEntityManager {
  #scope: Scope | undefined
  #lens: Lens | undefined
  /** The EntityManager whose identity map this fork shares. */
  #sharing: ScopedEntityManager | undefined
  /** Whether the one transaction that it lived for has committed. */
  #isOver = false

  /** The ORM calls this, for itself and for each fork. */
  constructor(config: Configuration, driver: AbstractSqlDriver, metadata: MetadataStorage, useContext?: boolean, events?: EventManager) {
    super(config, driver, metadata, useContext, events ?? new FlushAwareEventManager(config.get('subscribers')))
  }

  /** The scope that this EntityManager works in, or undefined for the global one, which can't reach a tenant's rows. */
  get boundScope(): Scope | undefined {
    return (this.getContext(false) as ScopedEntityManager).#scope
  }

  /** @internal Only `Daybook` binds. */
  forkInto(scope: Scope, session: SessionContext): ScopedEntityManager {
    const fork = super.fork({ session, disableContextResolution: true, cloneEventManager: true }) as ScopedEntityManager
    fork.setFilterParams(tenantFilterName, filterParamsOf(scope))
    fork.#scope = scope
    return fork
  }

  /** @internal A fork that reads through a lens, inside the open transaction if there is one. Only `asOf` asks for it. */
  forkThrough(lens: Lens): ScopedEntityManager {
    const fork = super.fork({ session: { ...this.getSessionContext() } }) as ScopedEntityManager
    lookThrough(fork.getSessionContext()!, lens)
    fork.#scope = this.boundScope
    fork.#lens = lens
    const transaction = this.getTransactionContext<object>()
    if (transaction) fork.setTransactionContext(throughLens(transaction, lens))
    return fork
  }

  /** Whether this EntityManager sees something else than the tables as they are, and so can't write. */
  get isThroughLens(): boolean {
    return this.#lens !== undefined
  }

  /** Whether nobody has a word in a flush's own transaction, from its BEGIN to its COMMIT: no subscriber hears of it, no signal stops it. */
  get endsUnheard(): boolean {
    return !this.#isHeard('afterTransactionStart', 'beforeTransactionCommit') && this.getAbortOptions() === undefined
  }

  /** Whether no subscriber asks or adds anything before or after a flush. */
  get flushesUnheard(): boolean {
    return !this.#isHeard('beforeFlush', 'onFlush', 'afterFlush')
  }

  #isHeard(...events: (keyof EventSubscriber)[]): boolean {
    return events.some(event => (this.getEventManager() as FlushAwareEventManager).isHeard(event))
  }

  override fork(options: ForkOptions = {}): this {
    const scope = this.boundScope
    if (scope && options.session) throw new ScopeImmutableError()
    if (this.#lens && !options.keepTransactionContext && !this.isInTransaction()) return this.forkThrough(this.#lens) as this
    const fork = super.fork(options)
    fork.#scope = scope
    fork.#lens = this.#lens
    if (options.clear === false) fork.#sharing = this.getContext(false)
    return fork
  }

  /** Whether this is asked in the middle of a flush, by a hook: what waits is just being written. */
  get isFlushing(): boolean {
    const at = flushing.getStore()
    let em: ScopedEntityManager | undefined = at && this.getContext(false)
    while (em && em !== at) em = em.#sharing
    return em !== undefined
  }

  /** Whether this shares the identity map of what another flushed, as a transaction's fork does with whoever began it. */
  remembersFor(other: object): boolean {
    return other === this || (this.#sharing?.remembersFor(other) ?? false)
  }

  /** A flush that fails may have written already, in a transaction that its caller goes on with: what it wrote is told, and it ends. */
  override async flush(): Promise<void> {
    if (this.#lens) {
      this.getUnitOfWork().computeChangeSets()
      if (this.getUnitOfWork().getChangeSets().length > 0) throw new LensWritesError()
      return
    }
    await flushing.run(this.getContext(false), async () => {
      try {
        await super.flush()
      } catch (error) {
        knownUnsentOf(this.getTransactionContext())?.endUnit()
        throw this.#isOver && (error as { code?: string }).code === '25006' ? new TransactionOverError({ cause: error }) : error
      }
    })
  }

  /** What waits is written in front of a savepoint: rolling back to it takes back all that is behind it, and this would think it written. */
  override async transactional<T>(work: (em: this) => T | Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const setsSavepoint = this.isInTransaction() && (options.propagation ?? TransactionPropagation.NESTED) === TransactionPropagation.NESTED
    if (setsSavepoint && !this.isFlushing) await this.flush()
    const { silenced } = this
    return super.transactional(work, silenced ? { loggerContext: silenced, ...options } : options)
  }

  /** @internal The one transaction that this EntityManager lives for: as nobody goes on with it, nothing is forked before and merged after. */
  async transactAlone<T>(work: () => Promise<T>, options: AloneOptions = {}): Promise<T> {
    const session = this.getTransactionSessionContext()!
    const begun = { sessionContext: session, ...options, eventBroadcaster: new TransactionEventBroadcaster(this) }
    const whole = async (transaction: object) => {
      this.setTransactionContext(transaction)
      const result = await work()
      await this.flush()
      return result
    }
    const result = await TransactionContext.create(this, () => this.getConnection().transactional(whole, begun))
    // Work that wasn't waited for must not go on in a transaction of its own: after a failure nothing can be asked any more, and otherwise
    // what was loaded can load what it points at, but nothing is written.
    this.resetTransactionContext()
    this.#isOver = true
    super.setSessionContext({ ...session, variables: { ...session.variables, transaction_read_only: 'on' } })
    return result
  }

  /** Nothing that it does is told in the query log. */
  silence(): void {
    this.setLoggerContext({ enabled: false })
  }

  /** What keeps the query log silent, which the ORM doesn't pass on by itself. */
  get silenced(): LoggingOptions | undefined {
    const own = this.getLoggerContext<LoggingOptions>()
    return own.enabled === false ? own : undefined
  }

  override setFilterParams(name: string, args: Dictionary): void {
    if (name === tenantFilterName && this.boundScope) throw new ScopeImmutableError()
    super.setFilterParams(name, args)
  }

  override setSessionContext(context: SessionContext): void {
    if (this.boundScope) throw new ScopeImmutableError()
    super.setSessionContext(context)
  }

  override clearSessionContext(): void {
    if (this.boundScope) throw new ScopeImmutableError()
    super.clearSessionContext()
  }
}

/** Overridden here and not in the class: the methods' types speak of `this`, of overloads and of the caller, as a subclass can't repeat it. */
// oxlint-disable-next-line typescript/unbound-method -- it is applied to its own object below
const { getKysely, execute, getTransactionContext } = ScopedEntityManager.prototype
Object.defineProperty(ScopedEntityManager.prototype, 'execute', {
  value(this: ScopedEntityManager, query: unknown, parameters: unknown[] = [], method: unknown = 'all', context?: LoggingOptions) {
    return Reflect.apply(execute, this, [query, parameters, method, context ?? this.silenced]) as unknown
  },
})
Object.defineProperty(ScopedEntityManager.prototype, 'getKysely', {
  value(this: ScopedEntityManager, ...options: Parameters<typeof getKysely>) {
    if (this.isThroughLens) throw new LensKyselyError()
    if (this.boundScope && !this.isInTransaction()) throw new ScopeNeedsTransactionError('em.getKysely()')
    return getKysely.apply(this, options)
  },
})
Object.defineProperty(ScopedEntityManager.prototype, 'getTransactionContext', {
  /** Of work in a savepoint that nobody waited for: its connection may be in a transaction of another tenant by now. */
  value(this: ScopedEntityManager) {
    const transaction = getTransactionContext.call<ScopedEntityManager, [], object | undefined>(this)
    if (transaction && hasEnded(transaction)) throw new TransactionOverError()
    return transaction
  },
})
