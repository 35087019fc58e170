import { expect, test } from 'vitest'
import { demoPasswords } from '../../seeders/demo-passwords.ts'
import { ConfigurationError, readConfig } from '../../src/config.ts'
import { openDaybook } from '../../src/open-daybook.ts'

const problemsOf = (env: Record<string, string>): readonly string[] => {
  try {
    readConfig(env)
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
])('a database URL %s is refused: it %s', (url, problem) => {
  expect(problemsOf({ DATABASE_URL: url })[0]).toContain(problem)
})

test('a problem with a database URL does not repeat its password', () => {
  expect(problemsOf({ DATABASE_URL: 'mysql://user:s3cret@host/db' }).join()).not.toContain('s3cret')
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

test('limits and load come from the environment', () => {
  expect(readConfig({}).load).toEqual({ heapUsed: 0.9, poolWaiting: 100 })
  const config = readConfig({ RATE_LIMIT_TENANT: '50', LISTENERS_TENANT: '3', LOAD_EVENT_LOOP_MS: '0', LOAD_HEAP_PERCENT: '80' })
  expect(config.listeners).toEqual({ perTenant: 3, perHost: 200 })
  expect([config.rateLimits.perTenant, config.load.eventLoopDelayMs, config.load.heapUsed]).toEqual([50, 0, 0.8])
  expect(problemsOf({ RATE_LIMIT_ADDRESS: '0', LOAD_HEAP_PERCENT: '101' })).toHaveLength(2)
})

test('a region is one of those that there are, or none', () => {
  expect(readConfig({}).region).toBeUndefined()
  expect(readConfig({ DAYBOOK_REGION: 'CA' }).region).toBe('CA')
  expect(problemsOf({ DAYBOOK_REGION: 'Mars' })).toEqual(['DAYBOOK_REGION is "Mars", expected one of EU, US, CA.'])
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
