import pg, { type Client, type Connection, type QueryResult, type Submittable } from 'pg'

/** What `pg`'s results do beside what its types tell. */
interface Reading extends QueryResult {
  addFields(fields: readonly unknown[]): void
  parseRow(fields: readonly unknown[]): QueryResult['rows'][number]
  addRow(row: QueryResult['rows'][number]): void
  addCommandComplete(message: { readonly text: string }): void
}

const Reading = pg.Result as unknown as new (rowMode: undefined, types: Pick<Client, 'getTypeParser'>) => Reading

type Callback = (error: Error | null, result?: QueryResult) => void

/**
 * A message of several statements, of whose answers only the last is wanted. `pg` makes a result of each, and those that open a transaction
 * are a dozen.
 */
class LastAnswer implements Submittable {
  readonly submit: (connection: Connection) => void
  /** The client replaces it where queries have a time limit. */
  callback: Callback
  readonly #client: Client
  #reading: Reading | undefined
  #last: Reading | undefined
  #command = ''
  #unreadable: Error | undefined

  constructor(client: Client, text: string, callback: Callback) {
    this.#client = client
    this.submit = connection => connection.query(text)
    this.callback = callback
  }

  handleRowDescription({ fields }: { readonly fields: readonly unknown[] }): void {
    this.#reading = new Reading(undefined, this.#client)
    this.#reading.addFields(fields)
  }

  handleDataRow({ fields }: { readonly fields: readonly unknown[] }): void {
    const reading = this.#reading!
    try {
      reading.addRow(reading.parseRow(fields))
    } catch (error) {
      this.#unreadable ??= error as Error
    }
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#command = text
    this.#last = this.#reading
    this.#reading = undefined
  }

  handleReadyForQuery(): void {
    if (this.#unreadable) return this.callback(this.#unreadable)
    const last = this.#last ?? new Reading(undefined, this.#client)
    last.addCommandComplete({ text: this.#command })
    this.callback(null, last)
  }

  handleError(error: Error): void {
    this.callback(this.#unreadable ?? error)
  }

  handleEmptyQuery(): void {}

  handleCopyInResponse(connection: { sendCopyFail(reason: string): void }): void {
    connection.sendCopyFail('Nothing is sent that could be copied.')
  }

  handleCopyData(): void {}
}

/** What the last statement of a message is answered; the first failure is the message's. `send` is the way past what the client overrides. */
export async function lastAnswer(
  client: Client,
  send: (this: Client, submittable: Submittable) => unknown,
  text: string,
): Promise<QueryResult> {
  try {
    return await new Promise((resolve, reject) => {
      const settle: Callback = (error, result) => (error ? reject(error) : resolve(result!))
      send.call(client, new LastAnswer(client, text, settle))
    })
  } catch (error) {
    // Of whoever asked, not of the socket.
    Error.captureStackTrace(error as Error)
    throw error
  }
}
