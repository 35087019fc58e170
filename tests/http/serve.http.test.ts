import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'

/** A server has no place of its own for one. */
const masterKey = process.env.DAYBOOK_TEST_ENGINE === 'server' ? { DAYBOOK_MASTER_KEY: Buffer.alloc(32, 'tests').toString('base64') } : {}

let directory: string
let database: TestDatabase
const started: ChildProcess[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'daybook-serve-'))
  database = await openTestDatabase()
})
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL')
  await database[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

function serve(env: Record<string, string>, ...flags: string[]) {
  const child = spawn(process.execPath, ['src/cli/serve.ts', ...flags], {
    env: { PATH: process.env.PATH, DAYBOOK_DATA_DIR: directory, PORT: '0', DB_LOG_QUERIES: 'off', ...masterKey, ...env },
  })
  started.push(child)
  let output = ''
  const ended = once(child, 'exit').then(([code]) => ({ code: code as number | null, output: () => output }))
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const address = async () => {
    for (;;) {
      const [found] = /http:\/\/[\d.]+:\d+/.exec(output) ?? []
      if (found) return found
      if (child.exitCode !== null) throw new Error(output)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
  return { child, ended, address, output: () => output }
}

test('the host serves the database that the environment names until it is told to stop, and ends well', { timeout: 60_000 }, async () => {
  const { urls } = database
  const host = serve(urls ? { DATABASE_URL: urls.app } : {})
  const address = await host.address()
  expect(host.output().includes('NODE_ENV is not set')).toBe(urls !== undefined)
  const ready = await fetch(`${address}/health/ready`)
  expect([ready.status, await ready.json()]).toMatchObject([200, { status: 'ready', database: urls ? 'server' : 'embedded' }])
  const slow = fetch(`${address}/auth/forgot-password`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"email":"nobody@nowhere.example"}',
  })
  // A request that comes after the signal is refused, and how long one takes to arrive depends on what the host is doing.
  await expect.poll(() => host.output(), { timeout: 20_000, interval: 5 }).toContain('/auth/forgot-password')
  host.child.kill('SIGTERM')
  expect((await slow).status).toBe(202)
  expect((await host.ended).code).toBe(0)
  await expect(fetch(`${address}/health/live`)).rejects.toThrow('fetch failed')
})

test('limits, origins and numbers are what the environment says', { timeout: 60_000 }, async () => {
  const { urls } = database
  const METRICS_TOKEN = 'a-token-of-which-an-operator-has-made-enough'
  const settings = { NODE_ENV: 'production', ALLOWED_ORIGINS: 'https://app.example.com', RATE_LIMIT_ADDRESS: '3', METRICS_TOKEN }
  const host = serve({ ...(urls && { DATABASE_URL: urls.app }), ...settings })
  const address = await host.address()
  const headers = { origin: 'https://app.example.com' }
  const answers = []
  for (let call = 0; call < 4; call++) answers.push(await fetch(`${address}/me`, { headers }))
  expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 429])
  expect(answers[3]!.headers.get('access-control-allow-origin')).toBe('https://app.example.com')
  expect((await fetch(`${address}/metrics`)).status).toBe(401)
  const numbers = await (await fetch(`${address}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } })).text()
  expect(numbers).toContain('daybook_requests_throttled_total{limit="address"} 1')
  expect(host.output()).not.toContain('NODE_ENV is not set')
  host.child.kill('SIGTERM')
  await host.ended
})

test('an empty embedded database gets people who can sign in, whose mails can be read in a folder', { timeout: 60_000 }, async () => {
  const own = await mkdtemp(join(tmpdir(), 'daybook-serve-'))
  const host = serve({ DAYBOOK_DATA_DIR: own })
  const address = await host.address()
  const printed = /shown this once: (\S+)/.exec(host.output())![1]!
  const post = (path: string, body: object) =>
    fetch(address + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  for (const email of ['demo@example.com', 'admin@example.com']) {
    expect((await post('/auth/sign-in', { email, password: printed })).status).toBe(200)
  }
  expect((await post('/auth/forgot-password', { email: 'demo@example.com' })).status).toBe(202)
  host.child.kill('SIGINT')
  expect((await host.ended).code).toBe(0)
  const [mail] = await readdir(join(own, 'mail'))
  expect(await readFile(join(own, 'mail', mail!), 'utf8')).toContain('To: demo@example.com')
  await rm(own, { recursive: true, force: true })
})

test('the passwords that everybody knows are asked for by a flag, and refused in production', { timeout: 60_000 }, async () => {
  const own = await mkdtemp(join(tmpdir(), 'daybook-serve-'))
  const host = serve({ DAYBOOK_DATA_DIR: own }, '--insecure-demo-passwords')
  const address = await host.address()
  expect(host.output()).not.toContain('password, shown')
  for (const [email, password] of [
    ['demo@example.com', 'Demo123!'],
    ['admin@example.com', 'Admin123!'],
  ]) {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${address}/auth/sign-in`, { method: 'POST', headers, body: JSON.stringify({ email, password }) })
    expect(answer.status).toBe(200)
  }
  host.child.kill('SIGINT')
  await host.ended
  await rm(own, { recursive: true, force: true })
  const { code, output } = await serve({ NODE_ENV: 'production' }, '--insecure-demo-passwords').ended
  expect([code, output()]).toMatchObject([1, expect.stringContaining('refused in production')])
})

test('a host that may not serve says why and how to fix it, and exits with 1', { timeout: 60_000 }, async () => {
  const { urls } = database
  const [env, said] = urls
    ? [{ DATABASE_URL: urls.administrator }, /refuses to serve[\s\S]*superuser[\s\S]*Connect as daybook_app/]
    : [{ PORT: 'http', DB_POOL_MAX: '-1' }, /2 problems[\s\S]*DB_POOL_MAX[\s\S]*PORT/]
  const { code, output } = await serve(env).ended
  expect(code).toBe(1)
  expect(output()).toMatch(said)
  expect(output()).not.toMatch(/\bat .*\.ts:\d/)
})
