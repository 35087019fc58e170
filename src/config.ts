import { type DataRegion, dataRegions } from './domain/organizations/index.ts'
import { DaybookError } from './kernel/error.ts'
import { keyBytes } from './kernel/keyring.ts'
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
  /** Other origins whose pages may use a person's session. */
  readonly allowedOrigins: readonly string[]
  /** What Stripe's events are signed with; several while one is exchanged. */
  readonly stripeSecrets: readonly string[]
  /** Under which address people reach the host, for links in mails. */
  readonly publicUrl?: string
  /** No larger file is taken. */
  readonly maxFileBytes: number
  /** 32 bytes each, in base64: the first seals what must be read again, all of them open it. */
  readonly masterKeys?: readonly string[]
  /** The password of the people in the demo data. */
  readonly seedPassword?: string
  /** Gives the people in the demo data passwords that everybody knows; refused in production. */
  readonly insecureDemoPasswords: boolean
  /** The name of the production database that may be seeded, for where nobody can be asked. */
  readonly seedConfirm?: string
}

type Env = Readonly<Record<string, string | undefined>>

/** The only reader of the environment. It looks at everything before it complains, so that all problems are told at once. */
export function readConfig(env: Env = process.env): Config {
  const read = new Reader(env)
  const environment = read.oneOf('NODE_ENV', ['development', 'test', 'production'], 'development')
  const databaseUrl = read.databaseUrl('DATABASE_URL')
  const directUrl = read.databaseUrl('DIRECT_URL')
  const operatorUrl = read.databaseUrl('OPERATOR_URL')
  const region = read.oneOf('DAYBOOK_REGION', dataRegions, undefined)
  const publicUrl = read.webAddress('PUBLIC_URL')
  const masterKeys = read.keys('DAYBOOK_MASTER_KEY')
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
    allowedOrigins: listOf(env.ALLOWED_ORIGINS),
    stripeSecrets: listOf(env.STRIPE_WEBHOOK_SECRET),
    ...(publicUrl && { publicUrl }),
    maxFileBytes: read.integer('DAYBOOK_MAX_FILE_BYTES', 50_000_000, { from: 1, to: 5_000_000_000 }),
    ...(masterKeys && { masterKeys }),
    ...(env.DAYBOOK_SEED_PASSWORD && { seedPassword: env.DAYBOOK_SEED_PASSWORD }),
    insecureDemoPasswords: read.oneOf('DAYBOOK_INSECURE_DEMO_PASSWORDS', ['true', 'false'], 'false') === 'true',
    ...(env.DAYBOOK_SEED_CONFIRM && { seedConfirm: env.DAYBOOK_SEED_CONFIRM }),
  }
  if (operatorUrl && !databaseUrl) read.problems.push('OPERATOR_URL is set without DATABASE_URL: the embedded database needs neither.')
  if (directUrl && !databaseUrl)
    read.problems.push('DIRECT_URL is set without DATABASE_URL: set both, or neither for the embedded database.')
  if (config.insecureDemoPasswords && environment === 'production')
    read.problems.push('DAYBOOK_INSECURE_DEMO_PASSWORDS is refused in production: everybody knows these passwords. Leave it out.')
  if (read.problems.length > 0) throw new ConfigurationError(read.problems)
  return config
}

const listOf = (text = ''): string[] =>
  text
    .split(',')
    .map(part => part.trim())
    .filter(Boolean)

class Reader {
  readonly problems: string[] = []
  readonly #env: Env

  constructor(env: Env) {
    this.#env = env
  }

  oneOf<const T extends string, F extends T | undefined>(name: string, allowed: readonly T[], fallback: F): T | F {
    const value = this.#env[name]
    if (!value) return fallback
    if (allowed.includes(value as T)) return value as T
    this.problems.push(`${name} is "${value}", expected one of ${allowed.join(', ')}.`)
    return fallback
  }

  integer(name: string, fallback: number, { from, to }: { from: number; to: number }): number {
    const value = this.#env[name]
    if (!value) return fallback
    const number = Number(value)
    if (Number.isInteger(number) && number >= from && number <= to) return number
    this.problems.push(`${name} is "${value}", expected a whole number from ${from} to ${to}.`)
    return fallback
  }

  webAddress(name: string): string | undefined {
    const value = this.#env[name]
    if (!value) return undefined
    const isOne = ['http:', 'https:'].includes(URL.parse(value)?.protocol ?? '')
    if (!isOne) this.problems.push(`${name} is "${value}", expected an address like https://api.example.com.`)
    return value
  }

  /** Never repeats the value: it is a key. */
  keys(name: string): string[] | undefined {
    const value = this.#env[name]
    if (!value) return undefined
    const keys = listOf(value)
    const wrong = keys.findIndex(key => Buffer.from(key, 'base64').length !== keyBytes)
    if (wrong >= 0)
      this.problems.push(
        `${name}: key ${wrong + 1} is not ${keyBytes} bytes in base64. Make one with \`openssl rand -base64 ${keyBytes}\`.`,
      )
    return keys
  }

  /** Never repeats the value: it holds a password. */
  databaseUrl(name: string): string | undefined {
    const value = this.#env[name]
    if (!value) return undefined
    const url = URL.parse(value)
    const shape = 'postgresql://user:password@host:5432/database'
    if (!url || !['postgres:', 'postgresql:'].includes(url.protocol))
      this.problems.push(`${name} is not a PostgreSQL URL, expected ${shape}.`)
    else if (!url.username) this.problems.push(`${name} names no role, expected ${shape}.`)
    else if (url.pathname.length < 2) this.problems.push(`${name} names no database, expected ${shape}.`)
    return value
  }
}
