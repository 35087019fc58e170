import pg, { type QueryResult } from 'pg'
import { TransactionRolledBackError } from './orm.errors.ts'
import { type Statement, Unsent, unsentQuestion } from './unsent.ts'

/**
 * A `pg` client that changes no statement and no order, only when bytes leave. The ORM opens each scoped transaction with two statements
 * whose answers nobody reads, and each costs a round trip; so does whatever else the transaction has to say about itself (`Unsent`):
 *
 *   begin →            ← answer                     begin, set_config, insert →
 *   set_config →       ← answer          becomes                                ← three answers
 *   insert →           ← answer                     append, commit →
 *   append →           ← answer                                                 ← two answers
 *   commit →           ← answer
 *
 * `begin` and the session context wait until the transaction's first real statement and leave in front of it, in one packet. When one of
 * them fails, its error reaches the caller of that statement, which PostgreSQL has then refused too; the error of a statement that left
 * with `commit` reaches the caller of `commit`. A transaction without any statement never reaches the server. And `commit` rejects when
 * PostgreSQL answers ROLLBACK, which it does for a transaction that has failed.
 *
 * It needs `pipeline: true` among the pool's options.
 */
export class TransactionClient extends pg.Client {
  /** What waits for the first statement: the opening, perhaps followed by the session context. */
  readonly held: Statement[] = []
  unsent = new Unsent()
}

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
    if (typeof text === 'string' && typeof values !== 'function' && !callback) {
      return queryText(this, { text, values: (values as unknown[] | undefined) ?? [] })
    }
    // A cursor, a prepared statement or the callback style: whatever waits goes first, nothing else changes.
    void sendAll(this, [...this.held.splice(0), ...this.unsent.before(textOf(text))])
    return send.call(this, ...statement)
  },
})

function queryText(client: TransactionClient, statement: Statement): Promise<QueryResult> {
  const { text } = statement
  if (text === unsentQuestion) return Promise.resolve(answer('SELECT', [client.unsent]))
  const opens = opening.test(text)
  if (opens) client.unsent = new Unsent()
  if (opens || (client.held.length === 1 && sessionContext.test(text))) {
    client.held.push(statement)
    return Promise.resolve(answer(opens ? 'BEGIN' : 'SELECT'))
  }
  if (text === 'commit') return commit(client)
  if (text === 'rollback') return rollback(client, statement)
  return sendBehind(client, joined(client.held.splice(0), client.unsent.before(text)), statement)
}

/** The context of the scope and the variables behind it are one statement. */
function joined(held: readonly Statement[], due: readonly Statement[]): Statement[] {
  const [first, context] = held
  const [variables, ...rest] = due
  if (!first || !context || !variables?.text.startsWith('select set_config(') || context.values.length > 0) return [...held, ...due]
  return [first, { text: `${context.text}, ${variables.text.slice('select '.length)}`, values: variables.values }, ...rest]
}

async function commit(client: TransactionClient): Promise<QueryResult> {
  const last = client.unsent.atCommit()
  client.unsent = new Unsent()
  if (last.length === 0 && client.held.splice(0).length > 0) return answer('COMMIT')
  const result = await sendBehind(client, [...client.held.splice(0), ...last], { text: 'commit', values: [] })
  if (result.command === 'ROLLBACK') throw new TransactionRolledBackError()
  return result
}

function rollback(client: TransactionClient, statement: Statement): Promise<QueryResult> {
  client.unsent = new Unsent()
  if (client.held.splice(0).length > 0) return Promise.resolve(answer('ROLLBACK'))
  return send.call(client, statement.text)
}

/** One packet; the first error is the one that is told, for it is the cause of those that follow. */
async function sendBehind(client: TransactionClient, first: readonly Statement[], { text, values }: Statement): Promise<QueryResult> {
  if (first.length === 0) return send.call(client, text, values)
  const { stream } = client.connection
  stream.cork()
  const before = sendAll(client, first)
  const own = send.call(client, text, values)
  stream.uncork()
  const [result] = await Promise.allSettled([own])
  for (const outcome of await before) if (outcome.status === 'rejected') throw outcome.reason
  if (result.status === 'rejected') throw result.reason
  return result.value
}

function sendAll(client: TransactionClient, statements: readonly Statement[]): Promise<PromiseSettledResult<QueryResult>[]> {
  return Promise.allSettled(statements.map(({ text, values }) => send.call(client, text, values)))
}

function textOf(query: unknown): string {
  return (query as { text?: string; cursor?: { text?: string } } | undefined)?.text ?? ''
}

function answer(command: string, rows: unknown[] = []): QueryResult {
  return { command, rowCount: null, oid: 0, rows: rows as QueryResult['rows'], fields: [] }
}
