import pg, { type QueryResult } from 'pg'
import { TransactionRolledBackError } from './orm.errors.ts'

/**
 * A `pg` client that changes no statement and no order, only when bytes leave. The ORM opens each scoped transaction with two statements
 * whose answers nobody reads, and each costs a round trip:
 *
 *   begin →            ← answer                     begin, set_config, select →
 *   set_config →       ← answer          becomes                                ← three answers
 *   select →           ← answer                     commit →                    ← answer
 *   commit →           ← answer
 *
 * `begin` and the session context wait until the transaction's first real statement and leave in front of it, in one packet. When one of
 * them fails, its error reaches the caller of that statement, which PostgreSQL has then refused too. A transaction without any statement
 * never reaches the server. And `commit` rejects when PostgreSQL answers ROLLBACK, which it does for a transaction that has failed.
 *
 * It needs `pipeline: true` among the pool's options.
 */
export class TransactionClient extends pg.Client {
  /** What waits for the first statement: the opening, perhaps followed by the session context. */
  readonly held: Statement[] = []
}

type Statement = readonly [text: string, values: unknown[] | undefined]
type Query = (this: pg.Client, ...statement: readonly unknown[]) => Promise<QueryResult>

// oxlint-disable-next-line typescript/unbound-method -- applied to a client below
const send = pg.Client.prototype.query as unknown as Query

/** Only these exact words are held: the server can't refuse them, so what follows never runs outside its transaction. */
const opening = /^(begin|start transaction( isolation level (read committed|repeatable read|serializable))?( read (only|write))?)$/
const sessionContext = /^select set_config\(/

/** Assigned and not overridden, because the method's many overloads can't be repeated in a subclass. */
Object.defineProperty(TransactionClient.prototype, 'query', {
  value(this: TransactionClient, ...statement: readonly unknown[]): Promise<QueryResult> {
    const [text, values, callback] = statement
    // A cursor, a prepared statement or the callback style: whatever waits goes first, nothing else changes.
    if (typeof text !== 'string' || typeof values === 'function' || callback) {
      void release(this)
      return send.call(this, ...statement)
    }
    return queryText(this, [text, values as unknown[] | undefined])
  },
})

function queryText(client: TransactionClient, [text, values]: Statement): Promise<QueryResult> {
  const opens = opening.test(text)
  if (opens || (client.held.length === 1 && sessionContext.test(text))) {
    client.held.push([text, values])
    return Promise.resolve(answer(opens ? 'BEGIN' : 'SELECT'))
  }
  const closes = text === 'commit' || text === 'rollback'
  if (closes && client.held.length > 0) {
    client.held.length = 0
    return Promise.resolve(answer(text.toUpperCase()))
  }
  if (text === 'commit') return commit(client)
  return client.held.length > 0 ? sendBehindHeld(client, [text, values]) : send.call(client, text, values)
}

async function sendBehindHeld(client: TransactionClient, [text, values]: Statement): Promise<QueryResult> {
  const { stream } = client.connection
  stream.cork()
  const before = release(client)
  const own = send.call(client, text, values)
  stream.uncork()
  const [result] = await Promise.allSettled([own])
  for (const outcome of await before) if (outcome.status === 'rejected') throw outcome.reason
  if (result.status === 'rejected') throw result.reason
  return result.value
}

function release(client: TransactionClient): Promise<PromiseSettledResult<QueryResult>[]> {
  return Promise.allSettled(client.held.splice(0).map(([text, values]) => send.call(client, text, values)))
}

async function commit(client: TransactionClient): Promise<QueryResult> {
  const result = await send.call(client, 'commit')
  if (result.command === 'ROLLBACK') throw new TransactionRolledBackError()
  return result
}

function answer(command: string): QueryResult {
  return { command, rowCount: null, oid: 0, rows: [], fields: [] }
}
