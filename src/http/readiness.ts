import type { FastifyBaseLogger } from 'fastify'
import { checkDatabaseHealth, type DatabaseHealth } from '../helpers/index.ts'
import type { Daybook } from '../orm/index.ts'

export interface Readiness {
  readonly status: 'ready' | 'unready'
  readonly database: DatabaseHealth['database']
  readonly checks: DatabaseHealth['checks']
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

/** What was found goes into the log, because whoever asks may be anybody. */
async function look(daybook: Daybook, log: FastifyBaseLogger): Promise<Readiness> {
  const { status, database, checks, pendingMigrations, isolationProblems, failures } = await checkDatabaseHealth(daybook)
  for (const { check, error } of failures) log.error({ check, err: error }, 'not ready')
  if (pendingMigrations.length > 0) log.error({ check: 'migrations', found: pendingMigrations }, 'not ready')
  if (isolationProblems.length > 0) log.error({ check: 'isolation', found: isolationProblems }, 'not ready')
  return { status: status === 'healthy' ? 'ready' : 'unready', database, checks }
}
