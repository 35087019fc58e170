import { startEmbeddedServer, type TestServer } from '../src/testing/test-server.ts'

/**
 * A real PostgreSQL as it would serve: unlike the tests' server it syncs each commit to disk, because a figure without that would make
 * every round trip look dear and every byte of the log look free.
 */
export async function startBenchServer(given = process.env.TEST_DATABASE_URL): Promise<TestServer> {
  if (given) return { url: given, origin: 'TEST_DATABASE_URL', stop: async () => {} }
  // The defaults of a server, spelled out, and room enough that no checkpoint falls into a round of only one side.
  const flags = ['-c', 'fsync=on', '-c', 'synchronous_commit=on', '-c', 'max_wal_size=4GB', '-c', 'checkpoint_timeout=30min']
  return { ...(await startEmbeddedServer(flags)), origin: 'an embedded server, fsync on' }
}
