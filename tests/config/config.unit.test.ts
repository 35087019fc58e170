import { afterEach, describe, expect, test, vi } from 'vitest'
import { demoPasswords } from '../../seeders/demo-passwords.ts'
import { ConfigurationError, readConfig, readDatabaseConfig, readSeedConfig } from '../../src/config.ts'
import { type OpenOptions, openDaybook } from '../../src/open-daybook.ts'
import { defaultLimits } from '../../src/orm/index.ts'

const problemsOf = (env: Record<string, string>, read: (env: Record<string, string>) => unknown = readConfig): readonly string[] => {
  try {
    read(env)
    return []
  } catch (error) {
    if (error instanceof ConfigurationError) return error.details.problems as string[]
    throw error
  }
}

test('an empty environment is the embedded database in development, with queries logged', () => {
  const config = readConfig({})
  expect(config).toMatchObject({ environment: 'development', dataDirectory: '.daybook', logQueries: true, host: '127.0.0.1', port: 3000 })
  expect(config.databaseUrl).toBeUndefined()
})

test.each(['test', 'production'])('%s logs no queries', environment => {
  expect(readConfig({ NODE_ENV: environment }).logQueries).toBe(false)
})

test('all problems are told at once', () => {
  const problems = problemsOf({
    NODE_ENV: 'staging',
    DATABASE_URL: 'mysql://a@b/c',
    DB_POOL_MAX: '0',
    DB_LOCK_TIMEOUT_MS: '1.5',
    PORT: 'http',
  })
  expect(problems).toHaveLength(5)
  for (const name of ['NODE_ENV', 'DATABASE_URL', 'DB_POOL_MAX', 'DB_LOCK_TIMEOUT_MS', 'PORT']) {
    expect(problems.some(problem => problem.startsWith(name))).toBe(true)
  }
})

test.each([
  ['postgresql://host/db', 'names no role'],
  ['postgresql://user@host', 'names no database'],
  ['not a url', 'not a PostgreSQL URL'],
  ['postgresql://user:p@ss/w#rd@host/db', 'write @ as %40'],
  ['postgresql://user:a@b?c@host/db', 'write @ as %40'],
  ['postgresql://user:a/b@host/db', 'write @ as %40'],
  ['postgresql://user:50%zz@host/db', 'ends too early'],
  ['postgresql://user@host/db?sslmode=prefer', 'has sslmode=prefer'],
  ['postgresql://user@host/db?sslmode=require&sslrootcert=/ca.pem', 'has sslrootcert'],
  ['postgresql://user@host/db?sslkey=/key.pem', 'names a client'],
])('a database URL %s is refused: it %s', (url, problem) => {
  expect(problemsOf({ DATABASE_URL: url })[0]).toContain(problem)
})

test('a problem with a database URL does not repeat its password', () => {
  expect(problemsOf({ DATABASE_URL: 'mysql://user:s3cret@host/db' }).join()).not.toContain('s3cret')
})

test('a password whose characters are encoded is taken', () => {
  const url = 'postgresql://user:p%40ss%2Fw%23r%20d%25%3A%C3%A9@host/db'
  expect(readConfig({ DATABASE_URL: url, DAYBOOK_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') }).databaseUrl).toBe(url)
})

test('origins are taken to the letter, so what no browser sends is refused', () => {
  expect(readConfig({ ALLOWED_ORIGINS: 'https://a.example, http://localhost:5173' }).allowedOrigins).toEqual([
    'https://a.example',
    'http://localhost:5173',
  ])
  expect(problemsOf({ ALLOWED_ORIGINS: 'https://a.example,*,https://b.example/' })).toHaveLength(2)
})

test('numbers are served when they are asked for, and their token repeated by nothing', () => {
  expect(readConfig({}).metrics).toBeUndefined()
  expect(readConfig({ METRICS: 'on' }).metrics).toEqual({})
  expect(readConfig({ METRICS_TOKEN: 'x'.repeat(32) }).metrics).toEqual({ token: 'x'.repeat(32) })
  expect(readConfig({ METRICS: 'off', METRICS_TOKEN: 'x'.repeat(32) }).metrics).toBeUndefined()
  const problems = problemsOf({ METRICS_TOKEN: 's3cret' })
  expect(problems[0]).toMatch(/^METRICS_TOKEN is shorter/)
  expect(problems.join()).not.toContain('s3cret')
})

test('a host waits, and describes itself, as it is told', () => {
  expect(readConfig({})).toMatchObject({ closeGraceMs: 30_000, connectionIdleMs: 120_000, docs: true })
  const config = readConfig({ CLOSE_GRACE_MS: '0', CONNECTION_IDLE_MS: '20000', DOCS: 'off' })
  expect(config).toMatchObject({ closeGraceMs: 0, connectionIdleMs: 20_000, docs: false })
  expect(problemsOf({ CONNECTION_IDLE_MS: '15000', DOCS: 'false' })).toHaveLength(2)
})

test('limits and load come from the environment', () => {
  expect(readConfig({}).load).toEqual({ heapUsed: 0.9, poolWaiting: 100, tenantShare: 0.5 })
  const config = readConfig({
    RATE_LIMIT_TENANT: '50',
    LISTENERS_TENANT: '3',
    LOAD_EVENT_LOOP_MS: '0',
    LOAD_HEAP_PERCENT: '80',
    LOAD_TENANT_PERCENT: '25',
  })
  expect(config.listeners).toEqual({ perTenant: 3, perHost: 200 })
  expect([config.rateLimits.perTenant, config.load.eventLoopDelayMs, config.load.heapUsed, config.load.tenantShare]).toEqual([
    50, 0, 0.8, 0.25,
  ])
  expect(problemsOf({ RATE_LIMIT_ADDRESS: '0', LOAD_HEAP_PERCENT: '101' })).toHaveLength(2)
})

test('a region is one of those that there are, or none', () => {
  expect(readConfig({}).region).toBeUndefined()
  expect(readConfig({ DAYBOOK_REGION: 'CA' }).region).toBe('CA')
  expect(problemsOf({ DAYBOOK_REGION: 'Mars' })).toEqual(['DAYBOOK_REGION is "Mars", expected one of EU, US, CA.'])
})

test('time-outs that nobody has set are those of a Daybook that nobody has configured', () => {
  expect(readConfig({}).limits).toEqual(defaultLimits)
})

test('a direct or operator URL without a database URL is refused', () => {
  expect(problemsOf({ DIRECT_URL: 'postgresql://a@b/c', OPERATOR_URL: 'postgresql://a@b/c' })).toHaveLength(2)
})

test('a URL that a pooler wants is taken as it is', () => {
  const databaseUrl = 'postgresql://user:password@localhost:5432/app?pgbouncer=true'
  expect(readConfig({ DATABASE_URL: databaseUrl }).databaseUrl).toBe(databaseUrl)
})

test('pool and time-outs come from the environment', () => {
  const config = readConfig({ DB_POOL_MAX: '4', DB_STATEMENT_TIMEOUT_MS: '1000', DB_LOCK_TIMEOUT_MS: '200', DB_IDLE_TIMEOUT_MS: '300' })
  expect(config.poolMax).toBe(4)
  expect(config.limits).toEqual({ statementTimeoutMs: 1000, lockTimeoutMs: 200, idleTimeoutMs: 300 })
})

test('master keys are 32 bytes each, and a problem with one repeats nothing of it', () => {
  const key = Buffer.alloc(32, 7).toString('base64')
  expect(readConfig({ DAYBOOK_MASTER_KEY: `${key}, ${key}` }).masterKeys).toEqual([key, key])
  expect(problemsOf({ DAYBOOK_MASTER_KEY: `${key},c2hvcnQ=` })[0]).toMatch(/^DAYBOOK_MASTER_KEY: key 2 is not 32 bytes/)
  expect(problemsOf({ DAYBOOK_MASTER_KEY: 'c2hvcnQ=' }).join()).not.toContain('c2hvcnQ=')
})

test('a server is not opened without a master key', async () => {
  await expect(openDaybook({ databaseUrl: 'postgresql://user@localhost:1/db' })).rejects.toThrow(/DAYBOOK_MASTER_KEY is missing/)
})

test('passwords that everybody knows are refused in production, by whichever way they are asked for', () => {
  const asked = { DAYBOOK_INSECURE_DEMO_PASSWORDS: 'true' }
  expect(demoPasswords(readConfig(asked)).of('demo@example.com')).toBe('Demo123!')
  expect(demoPasswords(readConfig({}), true).of('admin@example.com')).toBe('Admin123!')
  expect(problemsOf({ ...asked, NODE_ENV: 'production' })[0]).toMatch(/^DAYBOOK_INSECURE_DEMO_PASSWORDS is refused in production/)
  expect(() => demoPasswords(readConfig({ NODE_ENV: 'production' }), true)).toThrow(/refused in production/)
  expect(demoPasswords(readConfig({ DAYBOOK_SEED_PASSWORD: 'my own' })).of('demo@example.com')).toBe('my own')
  expect(demoPasswords(readConfig({})).of('demo@example.com')).toHaveLength(16)
})

describe('the library', () => {
  /** What an application may have in its environment, which the host would refuse. */
  const surroundings = {
    NODE_ENV: 'staging',
    PORT: '/tmp/app.sock',
    METRICS: 'true',
    HOST: '::',
    PUBLIC_URL: 'here',
    RATE_LIMIT_TENANT: 'many',
  }
  afterEach(() => vi.unstubAllEnvs())

  test('reads what the database needs, and has no opinion on the rest', () => {
    expect(problemsOf(surroundings)).toHaveLength(5)
    expect(readDatabaseConfig({}, { ...surroundings, DB_POOL_MAX: '4' })).toEqual({
      dataDirectory: '.daybook',
      poolMax: 4,
      connectTimeoutMs: 5_000,
      limits: defaultLimits,
      logQueries: false,
    })
    expect(problemsOf({ ...surroundings, DB_POOL_MAX: '0' }, env => readDatabaseConfig({}, env))).toEqual([
      'DB_POOL_MAX is "0", expected a whole number from 1 to 1000.',
    ])
  })

  test('is opened in whatever application', async () => {
    for (const [name, value] of Object.entries(surroundings)) vi.stubEnv(name, value)
    vi.stubEnv('DAYBOOK_MASTER_KEY', '')
    const opening = openDaybook({ environment: 'test', databaseUrl: 'postgresql://user@localhost:1/db' })
    await expect(opening).rejects.toThrow(/1 problem:\n.*DAYBOOK_MASTER_KEY is missing/)
  })

  test('takes what it is given before it looks for it, so a variable that isn’t needed can’t be wrong', () => {
    const limits = { statementTimeoutMs: 1, lockTimeoutMs: 2, idleTimeoutMs: 3 }
    const given = { databaseUrl: 'postgresql://user@host/db', poolMax: 3, limits, region: 'EU', installation: 'here.example' } as const
    const wrong = {
      DATABASE_URL: 'mysql://a@b/c',
      DB_POOL_MAX: '0',
      DB_LOCK_TIMEOUT_MS: 'long',
      DAYBOOK_REGION: 'Mars',
      DAYBOOK_INSTALLATION: 'not a name',
    }
    expect(readDatabaseConfig(given, wrong)).toMatchObject(given)
    expect(problemsOf(wrong, env => readDatabaseConfig({}, env))).toHaveLength(5)
    expect(problemsOf({}, env => readDatabaseConfig({ installation: 'not a name' }, env))).toHaveLength(1)
  })

  test.each([
    ['databaseUrl', 'postgresql://user:s3cret@host/db?sslmode=prefer', 'databaseUrl has sslmode=prefer'],
    ['databaseUrl', 'postgresql://user:s3cret@host/db?sslrootcert=/ca.pem', 'databaseUrl has sslrootcert'],
    ['directUrl', 'postgresql://user:s3cret@host/db?sslcert=/me.pem', "directUrl names a client's certificate"],
    ['operatorUrl', 'mysql://user:s3cret@host/db', 'operatorUrl is not a PostgreSQL URL'],
    ['databaseUrl', 'postgresql://host/db', 'databaseUrl names no role'],
  ])('is refused where its %s is %s, as the environment’s is', async (option, url, problem) => {
    const opening = openDaybook({ environment: 'test', databaseUrl: 'postgresql://user@host/db', [option]: url })
    await expect(opening).rejects.toMatchObject({
      code: 'configuration.invalid',
      message: expect.stringContaining(problem),
    })
    await expect(opening).rejects.not.toThrow('s3cret')
  })

  test('takes the rest of a server from the environment where its URL is given', () => {
    const operatorUrl = 'postgresql://operator@host/db'
    const databaseUrl = 'postgresql://user@host/db'
    expect(readDatabaseConfig({ databaseUrl }, { OPERATOR_URL: operatorUrl })).toMatchObject({ databaseUrl, operatorUrl })
  })

  test('opens no server when it is asked for a database in memory', () => {
    const server = { DATABASE_URL: 'postgresql://user@host/db', DIRECT_URL: 'mysql://a@b/c', OPERATOR_URL: 'postgresql://user@host/db' }
    expect(Object.keys(readDatabaseConfig({ inMemory: true }, server)).filter(name => name.endsWith('Url'))).toEqual([])
  })

  test('logs queries in development alone, and in no environment that it doesn’t know', () => {
    const isLogged = (given: OpenOptions, NODE_ENV: string) => readDatabaseConfig(given, { NODE_ENV }).logQueries
    expect([isLogged({}, ''), isLogged({}, 'staging'), isLogged({ environment: 'development' }, 'staging')]).toEqual([true, false, true])
    expect([isLogged({ environment: 'test' }, 'development'), isLogged({ logQueries: true }, 'production')]).toEqual([false, true])
  })

  test('takes no option of the host', () => {
    // @ts-expect-error they are the host's
    const options: OpenOptions = { rateLimits: { requests: 1 } }
    // @ts-expect-error they are the host's
    const more: OpenOptions = { metrics: {} }
    expect([options, more]).toHaveLength(2)
  })
})

test('demo data asks in which environment it is, and for nothing that a host needs', () => {
  expect(readSeedConfig({ NODE_ENV: 'production', PORT: '/tmp/app.sock', DB_LOCK_TIMEOUT_MS: '7' })).toMatchObject({
    environment: 'production',
    limits: { lockTimeoutMs: 7 },
  })
  expect(problemsOf({ NODE_ENV: 'staging' }, readSeedConfig)[0]).toMatch(/^NODE_ENV is "staging"/)
})
