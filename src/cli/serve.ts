import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { demoPasswords, insecureFlag } from '../../seeders/demo-passwords.ts'
import { seedDemo } from '../../seeders/seed-demo.ts'
import { type Config, readConfig } from '../config.ts'
import type { NewsletterSettings } from '../domain/commerce/index.ts'
import { type DocumentStore, folderStore } from '../domain/documents/index.ts'
import { type BackgroundOptions, type JobReport, startBackground } from '../jobs/index.ts'
import { daybookHost, folderMailer, type HostOptions, type Mailer } from '../http/index.ts'
import { DaybookError } from '../kernel/error.ts'
import { fileAnchor } from '../ledger/index.ts'
import { openDaybook } from '../open-daybook.ts'
import { type Daybook, migrationState, refuseBrokenIsolation, runUnlogged } from '../orm/index.ts'

const isInsecure = process.argv.includes(insecureFlag)

try {
  const config = readConfig()
  demoPasswords(config, isInsecure)
  if (process.argv.includes('prepare')) await prepare(config)
  else await serve(config)
} catch (error) {
  // What we raise on purpose says what to do; a stack would only hide it.
  console.error(error instanceof DaybookError ? error.message : error)
  process.exit(1)
}

async function serve(config: Config): Promise<void> {
  warnOfDevelopment(config)
  if (isNew(config)) await prepareElsewhere()
  const daybook = await openDaybook(config)
  try {
    await refuseBrokenIsolation(daybook)
    await warnOfMigrations(daybook)
    const host = daybookHost(daybook, hostOptions(config))
    await host.listen({ host: config.host, port: config.port })
    const { port } = host.server.address() as AddressInfo
    const address = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`
    console.log(`Daybook listens on ${address}`)
    const background = daybook.hasOperator ? startBackground(daybook, backgroundOptions({ publicUrl: address, ...config })) : undefined
    if (!background)
      console.warn('Jobs don’t run: they work across tenants, for which the operator’s own connection is needed (OPERATOR_URL).')
    closeOnSignal(async () => {
      await host.close()
      await background?.[Symbol.asyncDispose]()
      await daybook.close()
    })
  } catch (error) {
    await daybook.close()
    throw error
  }
}

function backgroundOptions(config: Config): BackgroundOptions {
  const { publicUrl, anchorFile } = config
  const newsletter = newsletterBy(mailerOf(config), publicUrl)
  return {
    store: filesIn(config),
    ...(anchorFile && { anchors: [fileAnchor(anchorFile)] }),
    ...(newsletter && { newsletter }),
    onReport: sayWhatFailed,
    onError: sayWhy,
  }
}

function sayWhatFailed({ job, status, failed, error }: JobReport): void {
  if (status === 'FAILED')
    console.error(`Job ${job} failed${failed > 0 ? ` for ${failed} tenants` : ''}: ${error ?? 'their runs say why (table job_run)'}`)
}

function sayWhy(error: unknown, doing: string): void {
  const what = doing === 'reactions' ? 'Reacting to events failed:' : `Job ${doing} could not run:`
  console.error(what, error instanceof DaybookError ? error.message : error)
}

/** Two releases may serve one database while one takes the other's place, so neither is refused. */
async function warnOfMigrations(daybook: Daybook): Promise<void> {
  const { pending, unknown } = await migrationState(daybook.orm, runUnlogged(daybook))
  if (pending.length > 0) console.warn(`The database lacks ${pending.join(', ')}: run \`npx mikro-orm migration:up\` with DIRECT_URL.`)
  if (unknown.length > 0) console.warn(`The database was migrated by a newer release, which this one doesn’t know: ${unknown.join(', ')}.`)
}

/** Whoever serves a database server means production more often than not. */
function warnOfDevelopment({ databaseUrl, isEnvironmentSet }: Config): void {
  if (!databaseUrl || isEnvironmentSet) return
  console.warn(
    'NODE_ENV is not set, so this host works in development on a database server: mails, with their tokens, are written to a folder, the cookies of sessions go over plain http too, requests and statements are logged. Set NODE_ENV=production.',
  )
}

/** An embedded database that nobody has opened yet. */
function isNew({ databaseUrl, dataDirectory }: Config): boolean {
  return !databaseUrl && !existsSync(join(dataDirectory, 'database'))
}

/** Making a database takes more memory than serving it, and a process keeps what it took. So another one makes it. */
async function prepareElsewhere(): Promise<void> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'prepare', ...process.argv.slice(2)], { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) process.exit(1)
}

async function prepare(config: Config): Promise<void> {
  await using daybook = await openDaybook({ ...config, logQueries: false })
  if (config.environment !== 'production') await seedOnce(daybook, config)
}

/** An empty embedded database gets the demo organizations; one that has them is left alone and nothing is printed about it. */
async function seedOnce(daybook: Daybook, config: Config): Promise<void> {
  const lines: string[] = []
  const passwords = demoPasswords(config, isInsecure)
  const { report, secrets } = await seedDemo(daybook, { passwords, print: line => lines.push(line) })
  if (report.counts.created === 0) return
  console.log(['Demo data:', ...lines].join('\n'))
  for (const [what, secret] of secrets) console.log(`${what}, shown this once: ${secret}`)
}

/** The host and the jobs have the same: what a document leaves behind is removed where it was put. */
function filesIn({ dataDirectory }: Config): DocumentStore {
  return folderStore(join(dataDirectory, 'files'))
}

/** In production mails are the business of a program of one's own; in development they are files. */
function mailerOf({ environment, dataDirectory }: Config): Mailer | undefined {
  return environment === 'production' ? undefined : folderMailer(join(dataDirectory, 'mail'))
}

function newsletterBy(mailer: Mailer | undefined, publicUrl: string | undefined): NewsletterSettings | undefined {
  return mailer && publicUrl ? { mailer, unsubscribeUrl: token => `${publicUrl}/newsletters/unsubscribe?token=${token}` } : undefined
}

function hostOptions(config: Config): HostOptions {
  const {
    environment,
    dataDirectory,
    trustProxy,
    allowedOrigins,
    rateLimits,
    listeners,
    load,
    closeGraceMs,
    connectionIdleMs,
    docs,
    metrics,
    stripeSecrets,
    publicUrl,
    maxFileBytes,
  } = config
  const mailer = mailerOf(config)
  if (mailer) console.log(`Mails are written to ${join(dataDirectory, 'mail')}`)
  else console.warn('Mails are not sent: this host has no mailer. Run daybookHost(daybook, { mailer }) in a program of your own.')
  return {
    logger: { level: environment === 'development' ? 'info' : 'error' },
    secureCookie: environment === 'production',
    allowedOrigins,
    rateLimits,
    listeners,
    load,
    closeGraceMs,
    connectionIdleMs,
    docs,
    ...(metrics && { metrics }),
    stripeSecrets,
    files: { store: filesIn(config), maxBytes: maxFileBytes },
    ...(publicUrl && { publicUrl }),
    ...(trustProxy && { trustProxy: [...trustProxy] }),
    ...(mailer && { mailer }),
  }
}

/** The first signal lets requests finish, a second one doesn't wait. */
function closeOnSignal(close: () => Promise<void>): void {
  let closing = false
  const onSignal = (signal: NodeJS.Signals) => {
    if (closing) process.exit(1)
    closing = true
    console.log(`${signal}: finishing what is under way`)
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
}
