import type { MikroORM } from '@mikro-orm/core'
import type { DaybookServerDriver } from './drivers.ts'
import { TransactionAbandonedError } from './orm.errors.ts'
import { TransactionClient } from './transaction-client.ts'
import { setLocal } from './unsent.ts'

/** A select as the ORM's query builder makes it; its values stand apart, so that they aren't logged. */
export interface Question {
  readonly sql: string
  readonly params: readonly unknown[]
}

/** A row as the driver gives it, by the names of its columns. */
export type StoredRow = Readonly<Record<string, unknown>>

/** A transaction as one message to the server: it opens, says who asks, asks everything, and ends. */
export async function askAtOnce(
  { driver, config }: MikroORM,
  variables: Readonly<Record<string, string>>,
  questions: readonly Question[],
  signal: AbortSignal | undefined,
): Promise<StoredRow[][]> {
  const server = driver as DaybookServerDriver
  const platform = server.getPlatform()
  const opening = [
    'start transaction isolation level repeatable read read only',
    ...Object.entries(variables).map(([name, value]) => setLocal(name, value)),
  ]
  const asked = questions.map(({ sql, params }) => platform.formatQuery(sql, params))
  const pool = await server.getConnection().getNativeClient()
  try {
    const client = await pool.connect()
    if (!(client instanceof TransactionClient)) throw new TypeError('The pool holds a client that isn’t Daybook’s.')
    const startedAt = performance.now()
    const answers = await client.askAtOnce([...opening, ...asked, 'commit'].join('; '), signal).finally(() => {
      client.release(client.isInTransaction)
      const took = Math.round(performance.now() - startedAt)
      config.getLogger().logQuery({ level: 'info', query: questions.map(({ sql }) => sql).join('; '), took })
    })
    return answers.slice(opening.length, -1).map(({ rows }) => rows as StoredRow[])
  } catch (error) {
    if (signal?.aborted) throw new TransactionAbandonedError({ cause: error })
    throw server.convertException(error as Error)
  }
}
