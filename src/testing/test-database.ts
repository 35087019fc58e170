import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type OpenOptions, openDaybook } from '../open-daybook.ts'
import type { Daybook } from '../orm/index.ts'
import { administer } from './test-server.ts'

export type TestOptions = Pick<OpenOptions, 'entities' | 'migrations' | 'poolMax' | 'limits' | 'region' | 'installation'>

/** What the setup of a test run hands to its test files. */
export interface TestDatabases {
  /** The administrator's URL of a server that has the template. */
  readonly serverUrl?: string
  readonly template?: string
  /** A file with an image of a migrated embedded database. */
  readonly image?: string
}

export const passwords = { daybook_app: 'serve-3f', daybook_operator: 'operate-9c', daybook_owner: 'migrate-5b' } as const

let databases: TestDatabases = {}

/** Called once in each test process, with what the run's setup has prepared. Without it every database is migrated from nothing. */
export function useTestDatabases(prepared: TestDatabases): void {
  databases = prepared
}

/** Where one test database lives; on a server with a URL for each role. */
export interface TestDatabase extends AsyncDisposable {
  readonly daybook: Daybook
  readonly urls?: { readonly app: string; readonly owner: string; readonly operator: string; readonly administrator: string }
}

/** A database of its own for one test file, with the whole model in it, as the application's role. */
export async function openTestDaybook(options: TestOptions = {}): Promise<Daybook> {
  return (await openTestDatabase(options)).daybook
}

/** The same, with the URLs of its other roles where it lives on a server. Closing the daybook drops the database. */
export async function openTestDatabase(options: TestOptions = {}): Promise<TestDatabase> {
  const database = databases.serverUrl ? await openOnServer(databases.serverUrl, options) : { daybook: await openEmbedded(options) }
  return { ...database, [Symbol.asyncDispose]: () => database.daybook.close() }
}

async function openEmbedded(options: TestOptions): Promise<Daybook> {
  const image = databases.image && new Blob([await readFile(databases.image)])
  // Entities of the test's own come with migrations of its own, which run on top of the image.
  return openDaybook({ ...quiet, ...options, inMemory: true, ...(image && { image, migrate: Boolean(options.migrations) }) })
}

async function openOnServer(serverUrl: string, options: TestOptions) {
  const name = `daybook_test_${randomBytes(6).toString('hex')}`
  await administer(serverUrl, `create database ${name} template ${databases.template ?? 'template1'}`)
  const urls = urlsOf(serverUrl, name)
  const migrate = !databases.template || Boolean(options.migrations)
  const daybook = await openDaybook({
    ...quiet,
    ...options,
    databaseUrl: urls.app,
    directUrl: urls.administrator,
    operatorUrl: urls.operator,
    migrate,
    onClose: async () => void (await administer(serverUrl, `drop database ${name} with (force)`)),
  })
  return { daybook, urls }
}

export function urlsOf(serverUrl: string, database: string) {
  const as = (role?: keyof typeof passwords) => {
    const url = new URL(serverUrl)
    url.pathname = `/${database}`
    if (role) Object.assign(url, { username: role, password: passwords[role] })
    return url.toString()
  }
  return { app: as('daybook_app'), owner: as('daybook_owner'), operator: as('daybook_operator'), administrator: as() }
}

const quiet = { logQueries: false, environment: 'test', masterKeys: [Buffer.alloc(32, 'daybook tests').toString('base64')] } as const
