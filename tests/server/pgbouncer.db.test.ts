import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDaybook } from '../../src/open-daybook.ts'
import type { Daybook } from '../../src/orm/index.ts'
import { openTestDatabase, type TestDatabase } from '../../src/testing/index.ts'
import { freePort } from '../../src/testing/test-server.ts'
import { mixTwoTenants } from './mix-two-tenants.ts'

const binary = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/opt/homebrew/bin/pgbouncer'].find(existsSync)

describe.skipIf(!binary)(`PgBouncer in transaction mode${binary ? '' : ' (skipped: pgbouncer is not installed)'}`, () => {
  let database: TestDatabase
  let pooled: Daybook
  let bouncer: ChildProcess
  let directory: string

  beforeAll(async () => {
    database = await openTestDatabase()
    directory = await mkdtemp(join(tmpdir(), 'daybook-pgbouncer-'))
    const port = await freePort()
    bouncer = await startBouncer(new URL(database.urls!.app), directory, port)
    const url = new URL(database.urls!.app)
    url.port = String(port)
    url.searchParams.set('pgbouncer', 'true')
    pooled = await openDaybook({ databaseUrl: url.toString(), poolMax: 8, logQueries: false })
  })

  afterAll(async () => {
    await pooled?.close()
    const gone = new Promise(resolve => bouncer.once('exit', resolve))
    bouncer.kill('SIGINT')
    await gone
    await database.daybook.close()
    await rm(directory, { recursive: true, force: true })
  })

  test('two tenants share one backend, and 200 requests at once see their own rows alone', async () => {
    const { requests, connections } = await mixTwoTenants(pooled, 200)
    expect(requests).toBe(200)
    expect(connections).toBe(1)
  })
})

async function startBouncer(server: URL, directory: string, port: number): Promise<ChildProcess> {
  const users = join(directory, 'users.txt')
  const config = join(directory, 'pgbouncer.ini')
  await writeFile(users, `"${server.username}" "${server.password}"\n`)
  await writeFile(
    config,
    [
      '[databases]',
      `* = host=${server.hostname} port=${server.port}`,
      '[pgbouncer]',
      `listen_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =`,
      `auth_type = plain\nauth_file = ${users}`,
      'pool_mode = transaction\ndefault_pool_size = 1\nmax_client_conn = 100',
    ].join('\n'),
  )
  // PgBouncer refuses to be root.
  const asRoot = process.getuid?.() === 0
  if (asRoot) for (const path of [directory, users, config]) chmodSync(path, path === directory ? 0o755 : 0o644)
  const bouncer = spawn(binary!, [...(asRoot ? ['-u', 'nobody'] : []), '-q', config], { stdio: 'ignore' })
  for (let attempt = 0; attempt < 50 && !(await answers(port)); attempt++) await sleep(100)
  return bouncer
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve((socket.destroy(), true)))
    socket.once('error', () => resolve(false))
  })
}
