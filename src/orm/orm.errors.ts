import { DaybookError } from '../kernel/error.ts'

export class EntityNotScopedError extends DaybookError {
  readonly code = 'model.entity_not_scoped'

  constructor(entity: string) {
    super(
      `Entity ${entity} says neither that it belongs to a tenant nor that it is global. Declare it with tenantEntity({ … }) or globalEntity({ … }).`,
      { entity },
    )
  }
}

export class UniqueAcrossTenantsError extends DaybookError {
  readonly code = 'model.unique_across_tenants'

  constructor(entity: string, properties: readonly string[]) {
    super(
      `The unique constraint (${properties.join(', ')}) of ${entity} does not start with tenantId, so it would tell one tenant what another has. ` +
        'Declare it in `uniques` of tenantEntity, which puts the tenant in front.',
      { entity, properties },
    )
  }
}

export class PolicyWidensError extends DaybookError {
  readonly code = 'model.policy_widens'

  constructor(entity: string, policies: readonly string[]) {
    super(
      `${entity} has ${policies.length} permissive policies (${policies.join(', ')}). PostgreSQL or-s them, which opens the tenant boundary. ` +
        'Narrow with `restrictions` of tenantEntity instead.',
      { entity, policies },
    )
  }
}

export class LensWritesError extends DaybookError {
  readonly code = 'history.read_only'

  constructor(cause?: unknown) {
    super(
      'What is read as of a moment in the past can only be read. Make the change through the scope’s own EntityManager, or use revert or restore.',
      {},
      { cause },
    )
  }
}

export class LensKyselyError extends DaybookError {
  readonly code = 'history.no_kysely'

  constructor() {
    super('Kysely’s statements don’t pass through the view of the past. Read with find, findOne, count, QueryBuilder or em.execute.')
  }
}

export class ScopeImmutableError extends DaybookError {
  readonly code = 'scope.immutable'

  constructor() {
    super(
      'An EntityManager keeps its scope for life, because its identity map holds that tenant’s rows. Take another one from daybook.scope({ … }).',
    )
  }
}

export class ScopeNeedsTransactionError extends DaybookError {
  readonly code = 'scope.needs_transaction'

  constructor(call: string) {
    super(
      `${call} outside a transaction runs on a connection that doesn’t know the tenant, so it would see no rows. ` +
        'Call it inside daybook.transact(scope, async em => …) or em.transactional(…).',
      { call },
    )
  }
}

export class TenantMismatchError extends DaybookError {
  readonly code = 'tenancy.row_refused'

  constructor(table: string, options?: ErrorOptions) {
    super(
      `A row for table ${table} was refused, because it isn’t the scope’s own: wrong tenant, wrong person, or no scope at all.`,
      { table },
      options,
    )
  }
}

export class IdentityImmutableError extends DaybookError {
  readonly code = 'tenancy.identity_immutable'

  constructor(table: string, columns: string, options?: ErrorOptions) {
    super(`Of a row in ${table} these never change: ${columns}. Create a new row instead.`, { table, columns }, options)
  }
}

export class EmbeddedDatabaseBusyError extends DaybookError {
  readonly code = 'database.embedded_busy'

  constructor(waitedMs: number) {
    super(
      `The embedded database serves one transaction at a time, and the open one has done nothing for ${waitedMs} ms. ` +
        'Most likely a second EntityManager is used inside it: pass the transaction’s own EntityManager on, or use a PostgreSQL server (DATABASE_URL).',
      { waitedMs },
    )
  }
}

export class EmbeddedDatabaseInUseError extends DaybookError {
  readonly code = 'database.embedded_in_use'

  constructor(directory: string, pid: number) {
    super(
      `The embedded database in ${directory} is open in process ${pid}, and only one process may open it. Stop that process, choose another ` +
        'directory (DAYBOOK_DATA_DIR), or use a PostgreSQL server (DATABASE_URL).',
      { directory, pid },
    )
  }
}

export class DatabaseUnreachableError extends DaybookError {
  readonly code = 'database.unreachable'
}

export class IsolationBrokenError extends DaybookError {
  readonly code = 'database.isolation_broken'

  constructor(problems: readonly string[]) {
    super(`Daybook refuses to serve, because tenant isolation would not hold:\n${problems.map(problem => `  - ${problem}`).join('\n')}`, {
      problems,
    })
  }
}

export class DatabaseNotMigratedError extends DaybookError {
  readonly code = 'database.not_migrated'

  constructor(lacking: string, options?: ErrorOptions) {
    super(
      `The database lacks ${lacking}: it was never migrated, or not since this release. Run \`npx mikro-orm migration:up\` with DIRECT_URL as its owner, or open it with \`migrate: true\`.`,
      { lacking },
      options,
    )
  }
}

export class MigrationsRunningError extends DaybookError {
  readonly code = 'migration.running'

  constructor(holder: string, waitedMs: number, options?: ErrorOptions) {
    super(
      `Another migration holds the lock: ${holder}. Waited ${waitedMs} ms. Let it finish, then run the command again.`,
      { holder, waitedMs },
      options,
    )
  }
}

export class MigrationUnknownError extends DaybookError {
  readonly code = 'migration.unknown'

  constructor(migration: string, direction: 'up' | 'down') {
    const problem = direction === 'up' ? 'There is no migration' : 'The database has no migration'
    super(
      `${problem} ${migration}. Nothing was changed. Give its whole name, as it stands in the table mikro_orm_migrations or in the folder of migrations.`,
      {
        migration,
        direction,
      },
    )
  }
}

export class RoleMissingError extends DaybookError {
  readonly code = 'database.role_missing'

  constructor(role: string, statements: readonly string[], options?: ErrorOptions) {
    super(
      `The role ${role} may not create what is missing. Migrate as an administrator of the server (DIRECT_URL), or ask one to run:\n${statements.map(sql => `  ${sql};`).join('\n')}`,
      { role, statements },
      options,
    )
  }
}

export class OperatorUnavailableError extends DaybookError {
  readonly code = 'scope.operator_unavailable'

  constructor(bound?: string) {
    super(
      bound
        ? `An operator scope works across organizations, and policies bind the role ${bound} of OPERATOR_URL: it would see none of them. Connect as daybook_operator.`
        : 'An operator scope needs its own database role. Set OPERATOR_URL to a connection as daybook_operator; the application’s role must not be able to become it.',
      bound ? { bound } : {},
    )
  }
}

export class TransactionRolledBackError extends DaybookError {
  readonly code = 'transaction.rolled_back'

  constructor() {
    super(
      'The transaction was rolled back at its commit, because one of its statements had failed and that failure was not passed on. Nothing was written.',
    )
  }
}

export class TransactionAbandonedError extends DaybookError {
  readonly code = 'transaction.abandoned'

  constructor(options?: ErrorOptions) {
    super('Whoever asked has gone before it was done, so it was stopped. Nothing was written; ask again.', {}, options)
  }
}

export class TransactionOverError extends DaybookError {
  readonly code = 'transaction.over'

  constructor(options?: ErrorOptions) {
    super(
      'The transaction in which this was begun has ended meanwhile. Wait for what is done inside a transaction before it ends.',
      {},
      options,
    )
  }
}

export class OutcomeUnknownError extends DaybookError {
  readonly code = 'transaction.outcome_unknown'

  constructor(options?: ErrorOptions) {
    super(
      'The connection was lost while the change was being committed, so it may have been made or not. Look before it is repeated.',
      {},
      options,
    )
  }
}
