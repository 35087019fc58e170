import type { MikroORM } from '@mikro-orm/core'
import type { Pool } from 'pg'
import type { DaybookServerDriver } from './drivers.ts'
import { TransactionAbandonedError } from './orm.errors.ts'
import { TransactionClient } from './transaction-client.ts'
import { isLostConnection } from './transient.ts'
import { setLocal } from './unsent.ts'

/** A select as the ORM's query builder makes it, with a `?` for each value; they stand apart, so that they aren't logged. */
export interface Question {
  readonly sql: string
  readonly params: readonly unknown[]
}

/** A row as the driver gives it, by the names of its columns. */
export type StoredRow = Readonly<Record<string, unknown>>

/** A transaction as one message to the server: it says how it reads and who asks, and asks everything. */
export async function askAtOnce(
  { driver, config }: MikroORM,
  variables: Readonly<Record<string, string>>,
  questions: readonly Question[],
  signal: AbortSignal | undefined,
): Promise<StoredRow[][]> {
  const server = driver as DaybookServerDriver
  const platform = server.getPlatform()
  const opening = [
    'set transaction isolation level repeatable read read only',
    ...Object.entries(variables).map(([name, value]) => setLocal(name, value)),
  ]
  const asked = questions.map(({ sql, params }) => platform.formatQuery(sql, params))
  const startedAt = performance.now()
  try {
    const answers = await withClient(await server.getConnection().getNativeClient(), client =>
      client.askAtOnce([...opening, ...asked].join('; '), signal),
    )
    return answers.slice(opening.length).map(({ rows }) => rows as StoredRow[])
  } catch (error) {
    if (signal?.aborted) throw new TransactionAbandonedError({ cause: error })
    throw server.convertException(error as Error)
  } finally {
    const took = Math.round(performance.now() - startedAt)
    config.getLogger().logQuery({ level: 'info', query: questions.map(({ sql }) => sql).join('; '), took })
  }
}

async function withClient<T>(pool: Pool, use: (client: TransactionClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let isLost = false
  try {
    if (!(client instanceof TransactionClient)) throw new TypeError('The pool holds a client that isn’t Daybook’s.')
    return await use(client)
  } catch (error) {
    isLost = isLostConnection(error)
    throw error
  } finally {
    client.release(isLost)
  }
}
