import { channel } from 'node:diagnostics_channel'
import { inSpan } from '../kernel/tracing.ts'
import { TransactionAbandonedError } from './orm.errors.ts'

/** What became of a transaction, for those who count. */
export interface TransactionReport {
  readonly daybook: object
  readonly scope: string
  readonly outcome: 'committed' | 'rolled_back' | 'abandoned'
  readonly attempts: number
  /** Events that this process wrote in it; the database's own sentinel counts for nobody. */
  readonly events: number
  readonly seconds: number
}

/** A channel that nobody subscribes to costs nothing. */
export const transactionReports = channel('daybook:transaction')

export interface Counts {
  attempts: number
  events: number
}

export function observed<T>(daybook: object, scope: string, run: (counts: Counts) => Promise<T>): Promise<T> {
  const counts: Counts = { attempts: 0, events: 0 }
  const startedAt = performance.now()
  const tell = (outcome: TransactionReport['outcome']) => {
    if (!transactionReports.hasSubscribers) return
    const report: TransactionReport = { daybook, scope, outcome, ...counts, seconds: (performance.now() - startedAt) / 1000 }
    transactionReports.publish(report)
  }
  return inSpan('daybook.transaction', { 'db.system.name': 'postgresql', 'daybook.scope': scope }, async span => {
    try {
      const result = await run(counts)
      tell('committed')
      return result
    } catch (error) {
      tell(error instanceof TransactionAbandonedError ? 'abandoned' : 'rolled_back')
      throw error
    } finally {
      span.setAttributes({ 'daybook.attempts': counts.attempts, 'daybook.events': counts.events })
    }
  })
}
