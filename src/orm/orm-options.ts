import type { Constructor, EntityClass, EntitySchema, EventSubscriber, MetadataStorage, MigrationObject, Options } from '@mikro-orm/core'
import { SeedManager, type Seeder } from '@mikro-orm/seeder'
import type { ClientBase, Pool } from 'pg'
import { declarationOf } from './declaration.ts'
import { completeModel } from './discovery.ts'
import { DaybookEmbeddedDriver, DaybookServerDriver } from './drivers.ts'
import { EmbeddedDialect, type EmbeddedDialectOptions } from './embedded-dialect.ts'
import { DaybookMigrationGenerator } from './migration-generator.ts'
import { daybookMigrator, type MigratorOptions } from './migrator.ts'
import { ormRegistry } from './orm-registry.ts'
import type { RunSql } from './roles.ts'
import { ScopedEntityManager } from './scoped-entity-manager.ts'
import { tenantFilter, tenantFilterName } from './tenant-filter.ts'
import { TransactionClient } from './transaction-client.ts'
import type { PGlite } from '@electric-sql/pglite'

export type Entity = EntityClass | EntitySchema

export interface Model {
  readonly entities: readonly Entity[]
  readonly migrations: readonly MigrationObject[]
  readonly afterUp?: MigratorOptions['afterUp']
  /** How long a migration waits for another one to finish. */
  readonly migrationWaitMs?: number
  /** What `seeder:run` finds; the first is what it runs unless told otherwise. */
  readonly seeders?: readonly Constructor<Seeder>[]
  /** Runs on the metadata of the whole model, after what follows from each entity's declaration has been added. */
  readonly complete?: (storage: MetadataStorage) => void
  readonly subscribers?: readonly EventSubscriber[]
}

export interface Logging {
  readonly queries: boolean
  /** The `mikro-orm` command tells what it migrates; a library doesn't. */
  readonly quietMigrations?: boolean
}

const logViews = ['activity_log', 'decision_log']

/** Everything about the ORM that is the same for every database and role. */
function commonOptions(model: Model, logging: Logging): Partial<Options> {
  return {
    entities: [...model.entities],
    entityManager: ScopedEntityManager,
    filters: { [tenantFilterName]: tenantFilter(model.entities.filter(isTenantEntity)) },
    // Guards keep references inside their tenant, so what a row points at needn't be joined in order to filter it; and a row isn't gone
    // because what it points at was deleted.
    autoJoinRefsForFilters: false,
    discovery: {
      afterDiscovered: storage => {
        completeModel(storage)
        model.complete?.(storage)
      },
      warnWhenNoEntities: false,
    },
    subscribers: [...(model.subscribers ?? [])],
    extensions: [
      daybookMigrator({
        ...(model.afterUp && { afterUp: model.afterUp }),
        ...(model.migrationWaitMs !== undefined && { waitMs: model.migrationWaitMs }),
      }),
      SeedManager,
      ormRegistry,
    ],
    migrations: {
      migrationsList: [...model.migrations],
      generator: DaybookMigrationGenerator,
      snapshot: false,
      // Sessions inside a migration keep their constraints; `session_replication_role` would also silence the guards.
      disableForeignKeys: false,
      silent: logging.quietMigrations ?? false,
    },
    ...(model.seeders && { seeder: { seedersList: [...model.seeders], defaultSeeder: model.seeders[0]!.name } }),
    // Functions, and the tables that the schema generator must not touch, are made by migrations.
    schemaGenerator: {
      ignoreRoutines: true,
      skipTables: [/^audit_(event|person|personal|subscription)/, 'activity_per_day', 'ledger_tile', ...logViews],
      skipViews: logViews,
    },
    // Statements without their values: those hold hashes, digests and addresses.
    debug: logging.queries ? ['query'] : false,
  }
}

export interface ServerConnection {
  readonly url: string
  readonly poolMax: number
  readonly applicationName: string
  readonly connectTimeoutMs: number
  /** Runs on each new connection, before anything else. */
  readonly onConnect?: (run: RunSql) => Promise<void>
  /** Sees the pool that is made, in order to say how busy it is. */
  readonly onPool?: (pool: Pool) => void
}

export function serverOptions(model: Model, connection: ServerConnection, logging: Logging): Partial<Options> {
  const { onConnect, onPool } = connection
  let pool: Pool | undefined
  return {
    ...commonOptions(model, logging),
    driver: DaybookServerDriver,
    clientUrl: withoutParameters(connection.url),
    pool: { min: 0, max: connection.poolMax },
    ensureDatabase: false,
    driverOptions: {
      Client: TransactionClient,
      pipeline: true,
      connectionTimeoutMillis: connection.connectTimeoutMs,
      application_name: connection.applicationName,
      ...encryptionIn(connection.url),
      onPoolCreated: (opened: Pool) => {
        pool = opened
        onPool?.(opened)
      },
      // The pool's hook and not the ORM's, because the pool lets go of a connection whose hook has failed.
      onConnect: async (client: ClientBase) => {
        await onConnect?.(async sql => (await client.query<Record<string, unknown>>(sql)).rows)
        // Nobody would give back what comes after the close, which waits for it.
        if (pool?.ending) throw new Error('The database was closed while a connection to it was being made.')
      },
    },
  }
}

export function embeddedOptions(
  model: Model,
  open: () => Promise<PGlite>,
  logging: Logging,
  dialect: EmbeddedDialectOptions = {},
): Partial<Options> {
  return {
    ...commonOptions(model, logging),
    driver: DaybookEmbeddedDriver,
    dbName: 'postgres',
    driverOptions: new EmbeddedDialect(open, dialect),
  }
}

function isTenantEntity(entity: Entity): boolean {
  return declarationOf('meta' in entity ? entity.meta.class : entity)?.belongsTo === 'tenant'
}

/** What tools write there for each other, such as `?pgbouncer=true`, the server doesn't know. */
function withoutParameters(url: string): string {
  const parsed = new URL(url)
  parsed.search = ''
  return parsed.toString()
}

/** As `sslmode` says; where it says nothing, `PGSSLMODE` does. A certificate is verified by whoever asks for encryption, unless they say otherwise. */
function encryptionIn(url: string): { readonly ssl?: boolean | { readonly rejectUnauthorized: false } } {
  const mode = new URL(url).searchParams.get('sslmode')
  if (mode === null) return {}
  return { ssl: mode === 'no-verify' ? { rejectUnauthorized: false } : mode !== 'disable' }
}
