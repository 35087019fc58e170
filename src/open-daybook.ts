import { MikroORM, type Options } from '@mikro-orm/core'
import type { Pool } from 'pg'
import { type DatabaseConfig, type GivenDatabase, readDatabaseConfig } from './config.ts'
import { openKeyring } from './master-keys.ts'
import { modelWith } from './model.ts'
import {
  appRole,
  Daybook,
  embeddedOptions,
  type EmbeddedDatabase,
  type Entity,
  explainConnectionFailure,
  type Model,
  openEmbeddedDatabase,
  OperatorUnavailableError,
  operatorRole,
  ownerRole,
  prepareRoles,
  type RolePasswords,
  type RunSql,
  serverOptions,
} from './orm/index.ts'

/** What is left out is read from the environment, where the library looks for nothing but this; the host has settings of its own. */
export interface OpenOptions extends GivenDatabase {
  /** Entities and migrations of your own, which get isolation like the product's. */
  readonly entities?: readonly Entity[]
  readonly migrations?: Model['migrations']
  /** Bring the schema up to date first. On the embedded database the default is yes, on a server no. */
  readonly migrate?: boolean
  /** What an in-memory database starts from: an image that PGlite's `dumpDataDir` has made. */
  readonly image?: Blob
  readonly onClose?: () => Promise<void>
}

/** Opens the database that the options or the environment name: a PostgreSQL server, or the embedded one in `./.daybook/`. */
export async function openDaybook(options: OpenOptions = {}): Promise<Daybook> {
  const config = { ...options, ...readDatabaseConfig(options) }
  const keyring = await openKeyring(config)
  const model = modelWith({ ...options, keyring: () => Promise.resolve(keyring) })
  return config.databaseUrl ? openServer(config as ServerConfig, model) : openEmbedded(config, model)
}

type OpenConfig = DatabaseConfig & OpenOptions
type ServerConfig = DatabaseConfig & OpenOptions & { readonly databaseUrl: string }

async function openServer(config: ServerConfig, model: Model): Promise<Daybook> {
  if (config.migrate) await migrateServer(config, model)
  let made: Pool | undefined
  const onPool = (opened: Pool) => (made = opened)
  const connection = { ...pool(config), url: config.databaseUrl, onPool }
  const orm = await connect(config.databaseUrl, serverOptions(model, connection, logging(config)))
  const { operatorUrl } = config
  return new Daybook({
    orm,
    embedded: false,
    limits: config.limits,
    pool: () => made && { max: config.poolMax, size: made.totalCount, idle: made.idleCount, waiting: made.waitingCount },
    ...named(config),
    ...(config.onClose && { onClose: config.onClose }),
    ...(operatorUrl && {
      openOperator: () => connectOperator(operatorUrl, serverOptions(model, { ...pool(config), url: operatorUrl }, logging(config))),
    }),
  })
}

/** Brings the schema up to date as the owner, who makes roles and grants on the way. */
export async function migrateServer(config: ServerConfig, model: Model = modelWith()): Promise<void> {
  const url = config.directUrl ?? config.databaseUrl
  const owner = await connect(url, serverOptions(model, ownerConnection(config, url), { queries: false, quietMigrations: true }))
  await owner.migrator.up().finally(() => owner.close())
}

async function openEmbedded(config: OpenConfig, model: Model): Promise<Daybook> {
  const { dataDirectory, inMemory, image, migrate = true } = config
  const database = await openEmbeddedDatabase({ ...(!inMemory && { directory: dataDirectory }), ...(image && { image }) })
  try {
    if (migrate) await migrateEmbedded(database, model)
    const orm = await MikroORM.init(
      embeddedOptions(model, () => Promise.resolve(database.pglite), logging(config), {
        onOpen: async pglite => {
          await pglite.exec(`set role ${appRole}`)
        },
      }),
    )
    const onClose = () => database.close().then(config.onClose)
    return new Daybook({ orm, embedded: true, limits: config.limits, onClose, ...named(config) })
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Brings an embedded database up to date, as its owner. */
export async function migrateEmbedded(database: EmbeddedDatabase, model: Model = modelWith()): Promise<void> {
  const quiet = { queries: false, quietMigrations: true }
  const owner = await MikroORM.init(embeddedOptions(model, () => Promise.resolve(database.pglite), quiet, { onOpen: becomeOwner }))
  await owner.migrator.up().finally(() => owner.close())
}

/** What the `mikro-orm` command works with: the owner's connection, on whichever database the environment names. */
export function ownerOptions(model: Model, config: DatabaseConfig = readDatabaseConfig()): Partial<Options> {
  const url = config.directUrl ?? config.databaseUrl
  if (url) return serverOptions(model, ownerConnection(config, url), { queries: config.logQueries })
  let database: Promise<EmbeddedDatabase> | undefined
  const open = () => (database ??= openEmbeddedDatabase({ directory: config.dataDirectory }))
  return embeddedOptions(
    model,
    async () => (await open()).pglite,
    { queries: config.logQueries },
    {
      onOpen: becomeOwner,
      onClose: async () => (await database)?.close(),
    },
  )
}

async function becomeOwner(pglite: EmbeddedDatabase['pglite']): Promise<void> {
  const run: RunSql = async sql => (await pglite.query<Record<string, unknown>>(sql)).rows
  await run('reset role')
  await prepareRoles(run)
  await run(`set role ${ownerRole}`)
}

function ownerConnection(config: DatabaseConfig, url: string) {
  return {
    ...pool(config),
    url,
    poolMax: 2, // one to migrate, one to hold the lock
    onConnect: async (run: RunSql) => {
      await prepareRoles(run, passwordsIn(config))
      await run(`set role ${ownerRole}`)
    },
  }
}

/** A role that migrations have to make gets the password that the configuration will use for it. */
function passwordsIn(config: DatabaseConfig): RolePasswords {
  const urls = [config.databaseUrl, config.directUrl, config.operatorUrl].filter(url => url !== undefined)
  const credentials = urls
    .map(url => new URL(url))
    .map(({ username, password }) => [decodeURIComponent(username), decodeURIComponent(password)])
  const known = Object.fromEntries(credentials) as RolePasswords
  return { [appRole]: known[appRole], [operatorRole]: known[operatorRole], [ownerRole]: known[ownerRole] }
}

async function connect(url: string, options: Partial<Options>): Promise<MikroORM> {
  const orm = await MikroORM.init(options)
  try {
    await orm.driver.getConnection().execute('select 1')
    return orm
  } catch (error) {
    await orm.close()
    throw explainConnectionFailure(url, error)
  }
}

/** Whom policies bind sees no organization: jobs would do nothing and verification pass over every log, and both would say that all is well. */
async function connectOperator(url: string, options: Partial<Options>): Promise<MikroORM> {
  const orm = await connect(url, options)
  const [bound] = await orm.driver
    .getConnection()
    .execute<{ name: string }[]>(
      `select rolname::text as name from pg_roles where rolname = current_user and not (rolsuper or rolbypassrls)`,
    )
  if (!bound) return orm
  await orm.close()
  throw new OperatorUnavailableError(bound.name)
}

const named = ({ region, installation }: DatabaseConfig) => ({ ...(region && { region }), ...(installation && { installation }) })
const pool = ({ poolMax, connectTimeoutMs }: DatabaseConfig) => ({ poolMax, connectTimeoutMs, applicationName: 'daybook' })
const logging = ({ logQueries }: DatabaseConfig) => ({ queries: logQueries, quietMigrations: true })
