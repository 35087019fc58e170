import { type Daybook, isolationProblems, isTenantOwned, migrationState, type RunSql, runUnlogged, tablesOf } from '../orm/index.ts'

export type CheckResult = 'ok' | 'failed' | 'pending'

export interface DatabaseHealth {
  readonly status: 'healthy' | 'unhealthy'
  readonly database: 'embedded' | 'server'
  /** How long the server took to answer a question that asks nothing; null when it didn't. */
  readonly latencyMs: number | null
  readonly serverVersion: string | null
  readonly pendingMigrations: readonly string[]
  /** Why tenants might not be apart: what the catalogue lacks, and what can be seen without a scope. */
  readonly isolationProblems: readonly string[]
  readonly checks: { readonly database: CheckResult; readonly migrations: CheckResult; readonly isolation: CheckResult }
  /** What a check itself failed with. */
  readonly failures: readonly { readonly check: keyof DatabaseHealth['checks']; readonly error: unknown }[]
}

/** Looks whether a database can be worked with: it answers, nothing waits to be migrated, tenants are apart. It never throws. */
export async function checkDatabaseHealth(daybook: Daybook): Promise<DatabaseHealth> {
  const run = runUnlogged(daybook)
  const failures: DatabaseHealth['failures'][number][] = []
  const look = <T>(check: keyof DatabaseHealth['checks'], found: Promise<T>): Promise<T | undefined> =>
    withinSeconds(5, found).catch((error: unknown) => {
      failures.push({ check, error })
      return undefined
    })
  const answer = await look('database', ping(run))
  const migrations = answer && (await look('migrations', migrationState(daybook.orm, run)))
  const isolation = answer && (await look('isolation', isolationComplaints(daybook, run)))
  const checks = {
    database: answer ? 'ok' : 'failed',
    migrations: resultOf(migrations?.pending, 'pending'),
    isolation: resultOf(isolation, 'failed'),
  } as const
  return {
    status: Object.values(checks).every(result => result === 'ok') ? 'healthy' : 'unhealthy',
    database: daybook.embedded ? 'embedded' : 'server',
    latencyMs: answer?.latencyMs ?? null,
    serverVersion: answer?.version ?? null,
    pendingMigrations: migrations?.pending ?? [],
    isolationProblems: isolation ?? [],
    checks,
    failures,
  }
}

function resultOf(found: readonly string[] | undefined, otherwise: CheckResult): CheckResult {
  if (!found) return 'failed'
  return found.length > 0 ? otherwise : 'ok'
}

async function ping(run: RunSql): Promise<{ latencyMs: number; version: string }> {
  const started = performance.now()
  const [row] = await run(`select current_setting('server_version') as version`)
  return { latencyMs: Math.round((performance.now() - started) * 10) / 10, version: String(row!.version) }
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
