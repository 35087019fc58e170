import { type DataRegion, dataRegions } from './domain/organizations/index.ts'
import { type Env, EnvReader, listOf } from './kernel/env-reader.ts'
import { DaybookError } from './kernel/error.ts'
import type { TransactionLimits } from './orm/index.ts'

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

export interface Config {
  readonly environment: Environment
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
  readonly load: { readonly eventLoopDelayMs?: number; readonly heapUsed: number; readonly poolWaiting: number }
  /** Whether the host serves numbers, and to whom. */
  readonly metrics?: { readonly token?: string }
  /** What Stripe's events are signed with; several while one is exchanged. */
  readonly stripeSecrets: readonly string[]
  /** Under which address people reach the host, for links in mails. */
  readonly publicUrl?: string
  /** No larger file is taken. */
  readonly maxFileBytes: number
  /** 32 bytes each, in base64: the first seals what must be read again, all of them open it. */
  readonly masterKeys?: readonly string[]
  /** How this installation is called in the checkpoints of its logs: a name that nobody else uses. */
  readonly installation?: string
  /** A file, best on a disk that another rules, to which checkpoints are published. */
  readonly anchorFile?: string
  /** The password of the people in the demo data. */
  readonly seedPassword?: string
  /** Gives the people in the demo data passwords that everybody knows; refused in production. */
  readonly insecureDemoPasswords: boolean
  /** The name of the production database that may be seeded, for where nobody can be asked. */
  readonly seedConfirm?: string
}

const requestsAMinute = { from: 1, to: 10_000_000 }

/** The only reader of the environment. It looks at everything before it complains, so that all problems are told at once. */
export function readConfig(env: Env = process.env): Config {
  const read = new EnvReader(env)
  const environment = read.oneOf('NODE_ENV', ['development', 'test', 'production'], 'development')
  const databaseUrl = read.databaseUrl('DATABASE_URL')
  const directUrl = read.databaseUrl('DIRECT_URL')
  const operatorUrl = read.databaseUrl('OPERATOR_URL')
  const region = read.oneOf('DAYBOOK_REGION', dataRegions, undefined)
  const publicUrl = read.webAddress('PUBLIC_URL')
  const masterKeys = read.keys('DAYBOOK_MASTER_KEY')
  const metricsToken = read.token('METRICS_TOKEN', 32)
  const eventLoopDelayMs = read.integer('LOAD_EVENT_LOOP_MS', undefined, { from: 0, to: 600_000 })
  const config: Config = {
    environment,
    ...(databaseUrl && { databaseUrl }),
    ...(directUrl && { directUrl }),
    ...(operatorUrl && { operatorUrl }),
    dataDirectory: env.DAYBOOK_DATA_DIR || '.daybook',
    ...(region && { region }),
    poolMax: read.integer('DB_POOL_MAX', 10, { from: 1, to: 1_000 }),
    connectTimeoutMs: read.integer('DB_CONNECT_TIMEOUT_MS', 5_000, { from: 100, to: 600_000 }),
    limits: {
      statementTimeoutMs: read.integer('DB_STATEMENT_TIMEOUT_MS', 30_000, { from: 0, to: 86_400_000 }),
      lockTimeoutMs: read.integer('DB_LOCK_TIMEOUT_MS', 10_000, { from: 0, to: 86_400_000 }),
      idleTimeoutMs: read.integer('DB_IDLE_TIMEOUT_MS', 60_000, { from: 0, to: 86_400_000 }),
    },
    logQueries: read.oneOf('DB_LOG_QUERIES', ['on', 'off'], environment === 'development' ? 'on' : 'off') === 'on',
    host: env.HOST || '127.0.0.1',
    port: read.integer('PORT', 3000, { from: 0, to: 65_535 }),
    ...(env.TRUST_PROXY && { trustProxy: listOf(env.TRUST_PROXY) }),
    allowedOrigins: read.origins('ALLOWED_ORIGINS'),
    stripeSecrets: listOf(env.STRIPE_WEBHOOK_SECRET),
    ...(publicUrl && { publicUrl }),
    maxFileBytes: read.integer('DAYBOOK_MAX_FILE_BYTES', 50_000_000, { from: 1, to: 5_000_000_000 }),
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
    },
    ...(read.oneOf('METRICS', ['on', 'off'], metricsToken ? 'on' : 'off') === 'on' && {
      metrics: { ...(metricsToken && { token: metricsToken }) },
    }),
    ...(masterKeys && { masterKeys }),
    ...(env.DAYBOOK_INSTALLATION && { installation: env.DAYBOOK_INSTALLATION }),
    ...(env.DAYBOOK_ANCHOR_FILE && { anchorFile: env.DAYBOOK_ANCHOR_FILE }),
    ...(env.DAYBOOK_SEED_PASSWORD && { seedPassword: env.DAYBOOK_SEED_PASSWORD }),
    insecureDemoPasswords: read.oneOf('DAYBOOK_INSECURE_DEMO_PASSWORDS', ['true', 'false'], 'false') === 'true',
    ...(env.DAYBOOK_SEED_CONFIRM && { seedConfirm: env.DAYBOOK_SEED_CONFIRM }),
  }
  if (operatorUrl && !databaseUrl) read.problems.push('OPERATOR_URL is set without DATABASE_URL: the embedded database needs neither.')
  if (directUrl && !databaseUrl)
    read.problems.push('DIRECT_URL is set without DATABASE_URL: set both, or neither for the embedded database.')
  if (config.installation && /[\s+]/.test(config.installation))
    read.problems.push(`DAYBOOK_INSTALLATION is "${config.installation}", expected a name without spaces and "+", such as a host's.`)
  if (config.insecureDemoPasswords && environment === 'production')
    read.problems.push('DAYBOOK_INSECURE_DEMO_PASSWORDS is refused in production: everybody knows these passwords. Leave it out.')
  if (read.problems.length > 0) throw new ConfigurationError(read.problems)
  return config
}
