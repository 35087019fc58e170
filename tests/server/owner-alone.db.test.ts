import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { migrateServer } from '../../src/open-daybook.ts'
import { urlsOf } from '../../src/testing/test-database.ts'
import { administer } from '../../src/testing/test-server.ts'

/** Where the roles exist already, nobody needs an administrator: the owner prepares a database of its own. */
const serverUrl = inject('databases').server.serverUrl!
const owned = `daybook_owned_${randomBytes(4).toString('hex')}`
const foreign = `daybook_foreign_${randomBytes(4).toString('hex')}`

beforeAll(() => administer(serverUrl, `create database ${owned} owner daybook_owner`, `create database ${foreign}`))
afterAll(() => administer(serverUrl, `drop database ${owned} with (force)`, `drop database ${foreign} with (force)`))

function migrate(database: string): Promise<void> {
  const { app, owner } = urlsOf(serverUrl, database)
  return migrateServer({ ...readConfig({}), databaseUrl: app, directUrl: owner, logQueries: false })
}

test('the owner migrates a database of its own, and again, without an administrator', async () => {
  await migrate(owned)
  await migrate(owned)
  const [row] = await administer(urlsOf(serverUrl, owned).app, 'select count(*)::int as permissions from permission')
  expect(row!.permissions).toBeGreaterThan(0)
})

test('in a database of somebody else the owner is told what an administrator has to run', async () => {
  const refused = migrate(foreign)
  await expect(refused).rejects.toMatchObject({ code: 'database.role_missing' })
  await expect(refused).rejects.toThrow('grant usage, create on schema public to daybook_owner')
})
