import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { readConfig } from '../../src/config.ts'
import { migrateEmbedded, migrateServer } from '../../src/open-daybook.ts'
import { openEmbeddedDatabase } from '../../src/orm/index.ts'
import { startTestServer, type TestDatabases } from '../../src/testing/index.ts'
import { passwords, urlsOf } from '../../src/testing/test-database.ts'
import { administer } from '../../src/testing/test-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    databases: { server: TestDatabases; embedded: TestDatabases }
  }
}

const template = 'daybook_template'

/** Once for the whole run: a server with a migrated template database, and an image of a migrated embedded one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'daybook-test-'))
  const image = join(directory, 'embedded-database')
  const [server] = await Promise.all([prepareServer(), prepareImage(image)])
  project.provide('databases', { server: { serverUrl: server.url, template }, embedded: { image } })
  return async () => {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

async function prepareServer() {
  const server = await startTestServer()
  await administer(server.url, `drop database if exists ${template} with (force)`, `create database ${template}`)
  const { app, administrator } = urlsOf(server.url, template)
  // The image is made meanwhile in this very process, whose event loop it holds for seconds on a busy machine.
  const connectTimeoutMs = 60_000
  await migrateServer({ ...readConfig({}), databaseUrl: app, directUrl: administrator, connectTimeoutMs, logQueries: false })
  // The roles may be older than this run, and have other passwords.
  await administer(server.url, ...Object.entries(passwords).map(([role, password]) => `alter role ${role} password '${password}'`))
  return server
}

async function prepareImage(file: string): Promise<void> {
  const database = await openEmbeddedDatabase()
  await migrateEmbedded(database)
  await database.pglite.exec('reset role')
  const image = await database.pglite.dumpDataDir('none')
  await writeFile(file, Buffer.from(await image.arrayBuffer()))
  await database.close()
}
