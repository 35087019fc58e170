import type { MigrateOptions, MikroORM, Transaction } from '@mikro-orm/core'
import { Migrator } from '@mikro-orm/migrations'
import type { SqlEntityManager } from '@mikro-orm/sql'
import { setTimeout as sleep } from 'node:timers/promises'
import { grantAccess } from './grants.ts'
import { MigrationsRunningError, MigrationUnknownError } from './orm.errors.ts'
import type { RunSql } from './roles.ts'

/** Any number that nothing else on the server uses: the advisory lock that one migration at a time holds. */
const lockKey = 0x6461_7962

export interface MigratorOptions {
  /** Catalogues that follow from the model, such as the permissions: brought up to date after every migration. */
  readonly afterUp?: (run: RunSql) => Promise<void>
  readonly waitMs?: number
}

/** The ORM's migrator, which takes a lock that says who holds it, and leaves grants and catalogues in step with the model. */
export function daybookMigrator(options: MigratorOptions = {}): { name: string; register(orm: MikroORM): void } {
  return {
    // The ORM adds its own migrator unless it finds an extension of this name.
    name: 'Migrator',
    register(orm) {
      orm.config.registerExtension('@mikro-orm/migrator', () => new DaybookMigrator(orm.em as SqlEntityManager, options))
    },
  }
}

class DaybookMigrator extends Migrator {
  readonly #em: SqlEntityManager
  readonly #options: MigratorOptions

  constructor(em: SqlEntityManager, options: MigratorOptions) {
    super(em)
    this.#em = em
    this.#options = options
  }

  protected override async runMigrations(direction: 'up' | 'down', options?: string | string[] | MigrateOptions) {
    return this.#alone(async () => {
      await this.#refuseUnknown(direction, options)
      const done = await super.runMigrations(direction, options)
      const connection = this.#em.getConnection()
      // In one transaction: what is taken back and granted anew, those who work meanwhile never lack.
      await connection.transactional(async own => {
        const run: RunSql = sql => connection.execute(sql, [], 'all', own)
        await grantAccess(run, this.#em.getMetadata(), this.config.get('migrations').tableName ?? 'mikro_orm_migrations')
        if (direction === 'up') await this.#options.afterUp?.(run)
      })
      return done
    })
  }

  /** Where the ORM doesn't find the one to stop at, it goes all the way: down from a name that was mistyped, nothing would be left. */
  async #refuseUnknown(direction: 'up' | 'down', options: string | string[] | MigrateOptions = {}): Promise<void> {
    const { migrations = [], from, to } = typeof options === 'string' || Array.isArray(options) ? { migrations: [options].flat() } : options
    const given = [...migrations, from, to].filter(name => typeof name === 'string')
    if (given.length === 0) return
    const { migrationsList = [] } = this.config.get('migrations')
    const known = direction === 'up' ? migrationsList : await this.getExecuted()
    const names = known.map(({ name }) => name)
    const unknown = given.find(name => !names.includes(name.replace(/\.[jt]s$/, '')))
    if (unknown !== undefined) throw new MigrationUnknownError(unknown, direction)
  }

  /** The lock lives in a transaction of its own connection, so it goes when this process does. PGlite has its folder's lock. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const connection = this.#em.getConnection()
    if (!this.#em.getPlatform().supportsMultipleStatements()) return work()
    return connection.transactional(async held => {
      await this.#takeLock(held)
      return work()
    })
  }

  async #takeLock(held: Transaction): Promise<void> {
    const connection = this.#em.getConnection()
    const waitMs = this.#options.waitMs ?? 30_000
    const started = performance.now()
    await connection.execute('set local idle_in_transaction_session_timeout = 0', [], 'run', held)
    for (;;) {
      const [row] = await connection.execute(`select pg_try_advisory_xact_lock(${lockKey}) as mine`, [], 'all', held)
      if (row?.mine) return
      const waitedMs = Math.round(performance.now() - started)
      if (waitedMs > waitMs) throw new MigrationsRunningError(await this.#holder(held), waitedMs)
      await sleep(250)
    }
  }

  async #holder(held: Transaction): Promise<string> {
    const [row] = await this.#em.getConnection().execute(
      `select format('process %s, role %s%s, since %s', a.pid, a.usename, coalesce(' from ' || host(a.client_addr), ''), a.xact_start::timestamptz(0)) as holder
         from pg_locks l join pg_stat_activity a using (pid) where l.locktype = 'advisory' and l.objid = ${lockKey} and l.granted`,
      [],
      'all',
      held,
    )
    return row?.holder ?? 'it has just let go'
  }
}
