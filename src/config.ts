import { type DataRegion, dataRegions } from './domain/organizations/index.ts'
import { type Env, EnvReader, listOf } from './kernel/env-reader.ts'
import { DaybookError } from './kernel/error.ts'
import { defaultLimits, type TransactionLimits } from './orm/index.ts'

export class ConfigurationError extends DaybookError {
  readonly code = 'configuration.invalid'

  constructor(problems: readonly string[]) {
    super(
      `The configuration has ${problems.length} problem${problems.length > 1 ? 's' : ''}:\n${problems.map(problem => `  - ${problem}`).join('\n')}`,
      { problems },
    )
  }
}

export type Environment = 'development' | 'test' | 'production'

/** What it takes to open the database. An application that does so has settings of its own, perhaps under names of the host's. */
export interface DatabaseConfig {
  /** The application's connection, perhaps through a pooler. Without one, the embedded database in `dataDirectory`. */
  readonly databaseUrl?: string
  /** The owner's connection, for migrations; never through a pooler. */
  readonly directUrl?: string
  readonly operatorUrl?: string
  readonly dataDirectory: string
  /** Where this process serves; it refuses organizations whose data is kept in another region. Without it, it serves all of them. */
  readonly region?: DataRegion
  readonly poolMax: number
  readonly connectTimeoutMs: number
  readonly limits: TransactionLimits
  readonly logQueries: boolean
  /** 32 bytes each, in base64: the first seals what must be read again, all of them open it. */
  readonly masterKeys?: readonly string[]
  /** The name of this installation in the checkpoints of its logs: a name that nobody else uses. */
  readonly installation?: string
}

/** What demo data is written with, and where it may be. */
export interface SeedConfig {
  readonly environment: Environment
  /** The password of the people in the demo data. */
  readonly seedPassword?: string
  /** Gives the people in the demo data passwords that everybody knows; refused in production. */
  readonly insecureDemoPasswords: boolean
  /** The name of the production database that may be seeded, for where nobody can be asked. */
  readonly seedConfirm?: string
}

/** What `npm start` serves with. */
export interface HostConfig {
  readonly environment: Environment
  /** Whether somebody has said so, or it is only assumed. */
  readonly isEnvironmentSet: boolean
  readonly host: string
  readonly port: number
  /** Proxies in front whose `X-Forwarded-*` is believed: addresses or networks. */
  readonly trustProxy?: readonly string[]
  /** Other origins whose pages may read answers (CORS) and use a person's session. */
  readonly allowedOrigins: readonly string[]
  /** Requests a minute: by address, on routes where one could guess by address, by key or session, by tenant. */
  readonly rateLimits: Readonly<Record<'requests' | 'credentials' | 'perCredential' | 'perTenant', number>>
  /** How many may listen to events at once: in one tenant, and in all of them. */
  readonly listeners: Readonly<Record<'perTenant' | 'perHost', number>>
  /** From when on requests are refused with 503; 0 leaves a measure out. */
  readonly load: {
    readonly eventLoopDelayMs?: number
    readonly heapUsed: number
    readonly poolWaiting: number
    readonly tenantShare: number
  }
  /** How long a host that closes waits for answers under way, and how long a connection may be quiet. */
  readonly closeGraceMs: number
  readonly connectionIdleMs: number
  /** Whether `/docs` and `/openapi.json` describe the routes. */
  readonly docs: boolean
  /** Whether the host serves numbers, and to whom. */
  readonly metrics?: { readonly token?: string }
  /** What Stripe's events are signed with; several while one is exchanged. */
  readonly stripeSecrets: readonly string[]
  /** Under which address people reach the host, for links in mails. */
  readonly publicUrl?: string
  /** No larger file is taken. */
  readonly maxFileBytes: number
  /** A file, best on a disk that another rules, to which checkpoints are published. */
  readonly anchorFile?: string
}

export interface Config extends DatabaseConfig, SeedConfig, HostConfig {}

/** What a program has said itself. No variable is asked for that, so none can be wrong about it. */
export interface GivenDatabase extends Partial<DatabaseConfig> {
  /** In `development`, which is the default, queries are logged. */
  readonly environment?: Environment
  /** An in-memory database instead of a folder or a server; for tests. */
  readonly inMemory?: boolean
}

/**
 * The only reader of the environment, but for `daybook/testing`, which asks for TEST_DATABASE_URL. It looks at everything before it complains, so
 * that all problems are told at once.
 */
export function readConfig(env: Env = process.env): Config {
  const read = new EnvReader(env)
  const environment = environmentIn(read)
  return unlessProblems(read, { ...databaseIn(read, { environment }), ...seedsIn(read, environment), ...hostIn(read, environment) })
}

/** For the library. It looks at nothing else: an application would be surprised by a database that isn't opened because of its `PORT`. */
export function readDatabaseConfig(given: GivenDatabase = {}, env: Env = process.env): DatabaseConfig {
  const read = new EnvReader(env)
  return unlessProblems(read, databaseIn(read, given))
}

/** For seeders, which must know whether this is production. */
export function readSeedConfig(env: Env = process.env): DatabaseConfig & SeedConfig {
  const read = new EnvReader(env)
  const environment = environmentIn(read)
  return unlessProblems(read, { ...databaseIn(read, { environment }), ...seedsIn(read, environment) })
}

function unlessProblems<C>({ problems }: EnvReader, config: C): C {
  if (problems.length > 0) throw new ConfigurationError(problems)
  return config
}

const environmentIn = (read: EnvReader): Environment => read.oneOf('NODE_ENV', ['development', 'test', 'production'], 'development')

function databaseIn(read: EnvReader, given: GivenDatabase): DatabaseConfig {
  const masterKeys = given.masterKeys ?? read.keys('DAYBOOK_MASTER_KEY')
  const region = given.region ?? read.oneOf('DAYBOOK_REGION', dataRegions, undefined)
  // Other programs have more environments than this one, and are right about theirs. Only development's queries are logged.
  const environment = given.environment ?? read.text('NODE_ENV') ?? 'development'
  const logged = () => read.oneOf('DB_LOG_QUERIES', ['on', 'off'], environment === 'development' ? 'on' : 'off') === 'on'
  return {
    ...urlsIn(read, given),
    dataDirectory: given.dataDirectory ?? read.text('DAYBOOK_DATA_DIR') ?? '.daybook',
    ...(region && { region }),
    poolMax: given.poolMax ?? read.integer('DB_POOL_MAX', 10, { from: 1, to: 1_000 }),
    connectTimeoutMs: given.connectTimeoutMs ?? read.integer('DB_CONNECT_TIMEOUT_MS', 5_000, { from: 100, to: 600_000 }),
    limits: given.limits ?? limitsIn(read),
    logQueries: given.logQueries ?? logged(),
    ...(masterKeys && { masterKeys }),
    ...installationIn(read, given),
  }
}

/** A database in memory is what was asked for, whichever server the environment knows. */
function urlsIn(read: EnvReader, given: GivenDatabase): Pick<DatabaseConfig, 'databaseUrl' | 'directUrl' | 'operatorUrl'> {
  const urlOf = (option: 'databaseUrl' | 'directUrl' | 'operatorUrl', name: string) => {
    if (given[option] !== undefined) return read.databaseUrl(option, given[option])
    return given.inMemory ? undefined : read.databaseUrl(name)
  }
  const databaseUrl = urlOf('databaseUrl', 'DATABASE_URL')
  const directUrl = urlOf('directUrl', 'DIRECT_URL')
  const operatorUrl = urlOf('operatorUrl', 'OPERATOR_URL')
  if (operatorUrl && !databaseUrl) read.problems.push('OPERATOR_URL is set without DATABASE_URL: the embedded database needs neither.')
  if (directUrl && !databaseUrl)
    read.problems.push('DIRECT_URL is set without DATABASE_URL: set both, or neither for the embedded database.')
  return { ...(databaseUrl && { databaseUrl }), ...(directUrl && { directUrl }), ...(operatorUrl && { operatorUrl }) }
}

const aDay = { from: 0, to: 86_400_000 }

const limitsIn = (read: EnvReader): TransactionLimits => ({
  statementTimeoutMs: read.integer('DB_STATEMENT_TIMEOUT_MS', defaultLimits.statementTimeoutMs, aDay),
  lockTimeoutMs: read.integer('DB_LOCK_TIMEOUT_MS', defaultLimits.lockTimeoutMs, aDay),
  idleTimeoutMs: read.integer('DB_IDLE_TIMEOUT_MS', defaultLimits.idleTimeoutMs, aDay),
})

function installationIn(read: EnvReader, given: GivenDatabase): Pick<DatabaseConfig, 'installation'> {
  const installation = given.installation ?? read.text('DAYBOOK_INSTALLATION')
  if (installation === undefined) return {}
  if (/[\s+]/.test(installation))
    read.problems.push(`DAYBOOK_INSTALLATION is "${installation}", expected a name without spaces and "+", such as a host's.`)
  return { installation }
}

function seedsIn(read: EnvReader, environment: Environment): SeedConfig {
  const [seedPassword, seedConfirm] = [read.text('DAYBOOK_SEED_PASSWORD'), read.text('DAYBOOK_SEED_CONFIRM')]
  const insecureDemoPasswords = read.oneOf('DAYBOOK_INSECURE_DEMO_PASSWORDS', ['true', 'false'], 'false') === 'true'
  if (insecureDemoPasswords && environment === 'production')
    read.problems.push('DAYBOOK_INSECURE_DEMO_PASSWORDS is refused in production: everybody knows these passwords. Leave it out.')
  return { environment, ...(seedPassword && { seedPassword }), insecureDemoPasswords, ...(seedConfirm && { seedConfirm }) }
}

const requestsAMinute = { from: 1, to: 10_000_000 }

function hostIn(read: EnvReader, environment: Environment): HostConfig {
  const [trustProxy, anchorFile] = [read.text('TRUST_PROXY'), read.text('DAYBOOK_ANCHOR_FILE')]
  const publicUrl = read.webAddress('PUBLIC_URL')
  const metricsToken = read.token('METRICS_TOKEN', 32)
  const eventLoopDelayMs = read.integer('LOAD_EVENT_LOOP_MS', undefined, { from: 0, to: 600_000 })
  return {
    environment,
    isEnvironmentSet: read.text('NODE_ENV') !== undefined,
    host: read.text('HOST') ?? '127.0.0.1',
    port: read.integer('PORT', 3000, { from: 0, to: 65_535 }),
    ...(trustProxy && { trustProxy: listOf(trustProxy) }),
    allowedOrigins: read.origins('ALLOWED_ORIGINS'),
    rateLimits: {
      requests: read.integer('RATE_LIMIT_ADDRESS', 600, requestsAMinute),
      credentials: read.integer('RATE_LIMIT_GUESSES', 10, requestsAMinute),
      perCredential: read.integer('RATE_LIMIT_CREDENTIAL', 600, requestsAMinute),
      perTenant: read.integer('RATE_LIMIT_TENANT', 6_000, requestsAMinute),
    },
    listeners: {
      perTenant: read.integer('LISTENERS_TENANT', 20, { from: 0, to: 100_000 }),
      perHost: read.integer('LISTENERS_HOST', 200, { from: 0, to: 100_000 }),
    },
    load: {
      ...(eventLoopDelayMs !== undefined && { eventLoopDelayMs }),
      heapUsed: read.integer('LOAD_HEAP_PERCENT', 90, { from: 0, to: 100 }) / 100,
      poolWaiting: read.integer('LOAD_POOL_WAITING', 100, { from: 0, to: 100_000 }),
      tenantShare: read.integer('LOAD_TENANT_PERCENT', 50, { from: 0, to: 100 }) / 100,
    },
    closeGraceMs: read.integer('CLOSE_GRACE_MS', 30_000, { from: 0, to: 3_600_000 }),
    // Those who listen to events hear nothing for fifteen seconds at a time.
    connectionIdleMs: read.integer('CONNECTION_IDLE_MS', 120_000, { from: 20_000, to: 3_600_000 }),
    docs: read.oneOf('DOCS', ['on', 'off'], 'on') === 'on',
    ...(read.oneOf('METRICS', ['on', 'off'], metricsToken ? 'on' : 'off') === 'on' && {
      metrics: { ...(metricsToken && { token: metricsToken }) },
    }),
    stripeSecrets: listOf(read.text('STRIPE_WEBHOOK_SECRET')),
    ...(publicUrl && { publicUrl }),
    maxFileBytes: read.integer('DAYBOOK_MAX_FILE_BYTES', 50_000_000, { from: 1, to: 5_000_000_000 }),
    ...(anchorFile && { anchorFile }),
  }
}
