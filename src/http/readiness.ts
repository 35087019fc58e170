import type { FastifyBaseLogger } from 'fastify'
import { type Daybook, isolationProblems, isTenantOwned, type RunSql, runUnlogged, tablesOf } from '../orm/index.ts'

export type CheckResult = 'ok' | 'failed' | 'pending'

export interface Readiness {
  readonly status: 'ready' | 'unready'
  readonly database: 'embedded' | 'server'
  readonly checks: { readonly database: CheckResult; readonly migrations: CheckResult; readonly isolation: CheckResult }
}

/** One look at a time, and its result for a while: whoever asks a thousand times a second costs the database nothing. */
export function readinessOf(daybook: Daybook, log: FastifyBaseLogger, cacheMs = 2_000): () => Promise<Readiness> {
  let current: Promise<Readiness> | undefined
  let staleAt = 0
  return () => {
    if (current && performance.now() < staleAt) return current
    staleAt = Infinity
    current = look(daybook, log).finally(() => (staleAt = performance.now() + cacheMs))
    return current
  }
}

async function look(daybook: Daybook, log: FastifyBaseLogger): Promise<Readiness> {
  const run = runUnlogged(daybook)
  const check = async (name: string, complaints: () => Promise<string[]>, otherwise: CheckResult): Promise<CheckResult> => {
    try {
      const found = await withinSeconds(5, complaints())
      if (found.length > 0) log.error({ check: name, found }, 'not ready')
      return found.length > 0 ? otherwise : 'ok'
    } catch (error) {
      log.error({ check: name, err: error }, 'not ready')
      return 'failed'
    }
  }
  const database = await check('database', async () => ((await run('select 1 as one')).length === 1 ? [] : ['no answer']), 'failed')
  const checks = {
    database,
    migrations: database === 'ok' ? await check('migrations', () => pendingMigrations(daybook, run), 'pending') : 'failed',
    isolation: database === 'ok' ? await check('isolation', () => isolationComplaints(daybook, run), 'failed') : 'failed',
  } as const
  const ready = Object.values(checks).every(result => result === 'ok')
  return { status: ready ? 'ready' : 'unready', database: daybook.embedded ? 'embedded' : 'server', checks }
}

/** By the table alone: the ORM's own question would create that table, which the application's role may not. */
async function pendingMigrations({ orm }: Daybook, run: RunSql): Promise<string[]> {
  const { migrationsList = [], tableName = 'mikro_orm_migrations' } = orm.config.get('migrations')
  const done = new Set((await run(`select name from "${tableName}"`)).map(({ name }) => String(name)))
  return migrationsList
    .map(migration => (typeof migration === 'function' ? migration.name : migration.name))
    .filter(name => !done.has(name))
}

/** What the catalogue says, and what a look without any scope sees: nothing of anybody. */
async function isolationComplaints({ orm }: Daybook, run: RunSql): Promise<string[]> {
  const metadata = orm.getMetadata()
  const tables = tablesOf(metadata).filter(isTenantOwned)
  const probes = tables.map(({ tableName }) => `select '${tableName}' as seen where exists (select from "${tableName}")`)
  const seen = probes.length > 0 ? await run(probes.join(' union all ')) : []
  return [...(await isolationProblems(run, metadata)), ...seen.map(row => `table ${String(row.seen)} shows rows without a scope`)]
}

async function withinSeconds<T>(seconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${seconds} s`)), seconds * 1_000)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
