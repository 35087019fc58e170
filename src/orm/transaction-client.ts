import pg, { type QueryResult } from 'pg'
import { cancelQuery } from './cancel-query.ts'
import { lastAnswers } from './last-answers.ts'
import { OutcomeUnknownError, TransactionAbandonedError, TransactionRolledBackError } from './orm.errors.ts'
import { isLostConnection, leavesDoubt } from './transient.ts'
import { type Ahead, isPlainRead, type Statement, Unsent, unsentQuestion } from './unsent.ts'

/**
 * A `pg` client that changes no statement and no order, only when bytes leave. The ORM opens each scoped transaction with two statements
 * whose answers nobody reads, and each costs a round trip; so does whatever else the transaction has to say about itself (`Unsent`):
 *
 *   begin →            ← answer                     begin; set local …; insert →
 *   set_config →       ← answer          becomes    append →                      ← answer to insert
 *   insert →           ← answer                     commit →                      ← answers
 *   append →           ← answer
 *   commit →           ← answer
 *
 * Where nothing but inserts is left to say, COMMIT leaves with the append, before the answer to the last insert: it does nothing unless both
 * succeed.
 *
 * What was held leaves in front of the transaction's first real statement, as one message with it; PostgreSQL then leaves out whatever
 * follows a failure, whose error reaches the caller of that statement. What leaves behind a statement is not waited for: its error reaches
 * the caller of the next statement that fails for it, at the latest of `commit`. A transaction without any statement never reaches the
 * server, and one that only read doesn't wait for the answer to its commit. `commit` rejects when PostgreSQL answers ROLLBACK, which it does
 * for a transaction that has failed; whether it rejects or not, the transaction has ended.
 *
 * It needs `pipeline: true` among the pool's options.
 */
export class TransactionClient extends pg.Client {
  /** What waits for the first statement: the opening, perhaps followed by the session context. */
  readonly held: Statement[] = []
  /** Statements sent without waiting: each gives its error, if it failed. */
  readonly behind: Promise<Error | undefined>[] = []
  unsent = new Unsent()
  /** The transaction's end, where it left with the last words before it was asked for. */
  ending: Promise<QueryResult> | undefined
  /** Whether the transaction has so far done nothing that its end could undo or let go: no writes, no locks, no promise of isolation. */
  hasOnlyRead = false
  /** Set once nobody waits for the transaction any more: its running statement is being stopped, and nothing but its end is sent. */
  abandoned: Promise<void> | undefined

  readonly #lost = new AbortController()

  constructor(config?: string | pg.ClientConfig) {
    super(config)
    this.once('end', () => this.#lost.abort())
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Outside a transaction every statement is one of its own, and commits itself. */
  get isInTransaction(): boolean {
    return underWay.has(this)
  }

  set isInTransaction(value: boolean) {
    if (value) underWay.add(this)
    else underWay.delete(this)
  }

  /** Gives up the transaction that `unsent` belongs to, unless it has ended or its commit is on its way. */
  abandon(unsent: Unsent): void {
    if (this.unsent !== unsent || !this.isInTransaction || this.abandoned) return
    this.abandoned = this.held.length > 0 ? Promise.resolve() : cancelQuery(this)
  }

  /** A message without `begin` is a transaction by itself, which ends with it, well or badly. */
  async askAtOnce(text: string, signal?: AbortSignal): Promise<QueryResult[]> {
    signal?.throwIfAborted()
    startAnew(this)
    this.isInTransaction = true
    const { unsent } = this
    const stop = () => this.abandon(unsent)
    signal?.addEventListener('abort', stop)
    try {
      return (await send.call(this, text)) as unknown as QueryResult[]
    } finally {
      signal?.removeEventListener('abort', stop)
      // What stops this transaction must not stop the next.
      await this.abandoned
      startAnew(this)
      this.isInTransaction = false
    }
  }
}

/** Who is in a transaction, of all clients of this process. */
const underWay = new Set<TransactionClient>()

type Query = (this: pg.Client, ...statement: readonly unknown[]) => Promise<QueryResult>

// oxlint-disable-next-line typescript/unbound-method -- applied to a client below
const send = pg.Client.prototype.query as unknown as Query

/** Only these exact words are held: the server can't refuse them, so what follows never runs outside its transaction. */
const opening = /^(begin|start transaction( isolation level (read committed|repeatable read|serializable))?( read (only|write))?)$/
const sessionContext = /^set local /

/** Assigned and not overridden, because the method's many overloads can't be repeated in a subclass. */
Object.defineProperty(TransactionClient.prototype, 'query', {
  value(this: TransactionClient, ...statement: readonly unknown[]): Promise<QueryResult> {
    const [text, values, callback] = statement
    if (typeof text === 'string' && typeof values !== 'function' && !callback) {
      return queryText(this, { text, values: (values as unknown[] | undefined) ?? [] })
    }
    // A cursor, a prepared statement or the callback style: whatever waits goes first, nothing else changes.
    this.hasOnlyRead = false
    const first = [...this.held.splice(0), ...this.unsent.before(textOf(text))]
    if (first.length > 0) void sendUnawaited(this, inOneMessage(first))
    return send.call(this, ...statement)
  },
})

function queryText(client: TransactionClient, statement: Statement): Promise<QueryResult> {
  const { text } = statement
  if (text === unsentQuestion) return Promise.resolve(answer('SELECT', [client.unsent]))
  if (client.ending) return atItsEnd(client, statement)
  if (client.abandoned && text !== 'rollback') return Promise.reject(new TransactionAbandonedError())
  const opens = opening.test(text)
  if (opens) {
    startAnew(client)
    client.isInTransaction = true
    client.hasOnlyRead = !text.includes('isolation')
  }
  if (opens || (client.held.length === 1 && sessionContext.test(text))) {
    client.held.push(statement)
    return Promise.resolve(opens ? answer('BEGIN') : answer('SET', [client.unsent]))
  }
  if (text === 'commit') return commit(client)
  if (text === 'rollback') return rollback(client, statement)
  client.hasOnlyRead &&= isPlainRead(text) && !/\bfor (no key )?(update|share|key share)\b/i.test(text)
  const answered = sendWithWhatFollows(client, statement)
  if ((client.isInTransaction && !client.ending) || isPlainRead(text)) return answered
  return answered.catch((error: unknown) => Promise.reject(isLostConnection(error) ? inDoubt(error) : error))
}

/**
 * While the server works on a statement, the client writes what is told of it. A process that has other transactions to serve saves the write
 * to a socket instead, which takes it as long as writing the events of a few rows: both leave in one packet, and with the end as one message.
 */
function sendWithWhatFollows(client: TransactionClient, statement: Statement): Promise<QueryResult> {
  const due = client.unsent.before(statement.text)
  if (underWay.size <= 1 || statement.text.length >= 4_096) {
    const answered = sendTogether(client, [...client.held.splice(0), ...due], statement)
    sendBehind(client, client.unsent.behind(statement.text))
    return answered
  }
  const ahead = client.unsent.behind(statement.text)
  const first = [...client.held.splice(0), ...due]
  if (ahead?.isLast && statement.values.length === 0) return sendWithEnd(client, [...first, statement, ahead.statement])
  const { stream } = client.connection
  stream.cork()
  const answered = sendTogether(client, first, statement)
  sendBehind(client, ahead)
  stream.uncork()
  return answered
}

function sendBehind(client: TransactionClient, ahead: Ahead | undefined): void {
  if (ahead?.isLast) beginEnding(client, endWith(client, [ahead.statement]))
  else if (ahead) void sendUnawaited(client, ahead.statement)
}

/** The last of these tells of the one before it, whose answer is given. If any fails, both it and the end have failed. */
function sendWithEnd(client: TransactionClient, statements: readonly Statement[]): Promise<QueryResult> {
  const answered = endWith(client, statements, 3)
  beginEnding(client, answered)
  return answered.then(([own]) => own!)
}

function beginEnding(client: TransactionClient, answered: Promise<readonly QueryResult[]>): void {
  client.ending = answered.then(answers => answers.at(-1)!)
  client.ending.catch(() => {}) // It is told to whoever asks for the end.
}

/** Its COMMIT is on its way, so nothing but its answer can follow. */
async function atItsEnd(client: TransactionClient, { text }: Statement): Promise<QueryResult> {
  if (text !== 'commit' && text !== 'rollback')
    throw new Error('Nothing can follow the last flush of a transaction, whose COMMIT left with it.')
  const ended = await client.ending!.catch((error: unknown) => error as Error)
  // The connection goes back to the pool after this, and what stops this transaction must not stop the next.
  await client.abandoned
  startAnew(client)
  client.isInTransaction = false
  // Even if it is too late: a refusal would keep the connection from the pool for ever.
  if (text === 'rollback') return answer('ROLLBACK')
  if (ended instanceof Error) throw ended
  return ended
}

async function commit(client: TransactionClient): Promise<QueryResult> {
  client.isInTransaction = false
  const last = client.unsent.atCommit()
  if (last.length === 0) {
    if (client.held.splice(0).length > 0) return answer('COMMIT')
    if (client.hasOnlyRead) {
      void sendUnawaited(client, { text: 'commit', values: [] })
      return answer('COMMIT')
    }
  }
  const [ended] = await endWith(client, [...client.held.splice(0), ...last])
  return ended!
}

/** Gives as many answers as are wanted, that of the end last. */
async function endWith(client: TransactionClient, last: readonly Statement[], wanted = 1): Promise<readonly QueryResult[]> {
  const earlier = [...client.behind]
  const message = inOneMessage([...last, { text: 'commit', values: [] }])
  const answers = await lastAnswers(client, send, message.text, wanted).catch(async (error: unknown) => {
    const cause = await causeOf(client, earlier, error)
    // The last words failed, so `commit` was left out.
    if (last.length > 0) await send.call(client, 'rollback').catch(() => {})
    throw inDoubt(cause)
  })
  if (answers.at(-1)!.command === 'ROLLBACK') throw (await firstFailure(earlier)) ?? new TransactionRolledBackError()
  return answers
}

async function rollback(client: TransactionClient, statement: Statement): Promise<QueryResult> {
  // The connection goes back to the pool after this, and what stops this transaction must not stop the next.
  if (client.abandoned) await client.abandoned
  startAnew(client)
  client.isInTransaction = false
  if (client.held.splice(0).length > 0) return answer('ROLLBACK')
  // With its connection the transaction has ended; a failure here would keep the connection in the pool for ever.
  return send.call(client, statement.text).catch((error: unknown) => {
    if (isLostConnection(error)) return answer('ROLLBACK')
    throw error
  })
}

function startAnew(client: TransactionClient): void {
  const unsent = new Unsent()
  unsent.stop = () => client.abandon(unsent)
  unsent.lost = client.lost
  client.unsent = unsent
  client.behind.length = 0
  client.ending = undefined
  client.abandoned = undefined
}

/** In one message where no statement has parameters, and else in one packet. The first failure is the cause of all that follow. */
async function sendTogether(client: TransactionClient, first: readonly Statement[], statement: Statement): Promise<QueryResult> {
  const earlier = [...client.behind]
  try {
    if (first.length === 0) return await send.call(client, statement.text, statement.values)
    if (statement.values.length === 0) {
      const [own] = await lastAnswers(client, send, inOneMessage([...first, statement]).text, 1)
      return own!
    }
    const { stream } = client.connection
    stream.cork()
    earlier.push(sendUnawaited(client, inOneMessage(first)))
    const own = send.call(client, statement.text, statement.values)
    stream.uncork()
    return await own
  } catch (error) {
    throw await causeOf(client, earlier, error)
  }
}

async function causeOf(client: TransactionClient, earlier: readonly Promise<Error | undefined>[], error: unknown): Promise<unknown> {
  client.hasOnlyRead = false
  return (await firstFailure(earlier)) ?? error
}

/** None of what waits has parameters, for then it could not share a message. */
function inOneMessage(statements: readonly Statement[]): Statement {
  return { text: statements.map(({ text }) => text).join('; '), values: [] }
}

/** A commit whose answer never came may have happened: whoever repeats it would do it twice. */
function inDoubt(error: unknown): unknown {
  return leavesDoubt(error) ? new OutcomeUnknownError({ cause: error }) : error
}

function sendUnawaited(client: TransactionClient, { text }: Statement): Promise<Error | undefined> {
  const failure = lastAnswers(client, send, text, 1).then(
    () => undefined,
    (error: Error) => error,
  )
  client.behind.push(failure)
  return failure
}

async function firstFailure(behind: readonly Promise<Error | undefined>[]): Promise<Error | undefined> {
  return (await Promise.all(behind)).find(Boolean)
}

function textOf(query: unknown): string {
  return (query as { text?: string; cursor?: { text?: string } } | undefined)?.text ?? ''
}

function answer(command: string, rows: unknown[] = []): QueryResult {
  return { command, rowCount: null, oid: 0, rows: rows as QueryResult['rows'], fields: [] }
}
