import pg, { type Client, type Connection, type QueryResult, type Submittable } from 'pg'

/** What `pg`'s results do beside what its types tell. */
interface Reading extends QueryResult {
  addFields(fields: readonly unknown[]): void
  parseRow(fields: readonly unknown[]): QueryResult['rows'][number]
  addRow(row: QueryResult['rows'][number]): void
  addCommandComplete(message: { readonly text: string }): void
}

const Reading = pg.Result as unknown as new (rowMode: undefined, types: Pick<Client, 'getTypeParser'>) => Reading

/** A statement that was answered, with its rows where it has any. */
interface Ended {
  readonly reading: Reading | undefined
  readonly text: string
}

type Callback = (error: Error | null, results?: readonly QueryResult[]) => void

/**
 * A message of several statements, of whose answers only the last are wanted. `pg` makes a result of each, and those that open a transaction
 * are a dozen.
 */
class LastAnswers implements Submittable {
  readonly submit: (connection: Connection) => void
  /** The client replaces it where queries have a time limit. */
  callback: Callback
  readonly #client: Client
  readonly #wanted: number
  readonly #ended: Ended[] = []
  #reading: Reading | undefined
  #unreadable: Error | undefined

  constructor(client: Client, text: string, wanted: number, callback: Callback) {
    this.#client = client
    this.#wanted = wanted
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
    this.#ended.push({ reading: this.#reading, text })
    if (this.#ended.length > this.#wanted) this.#ended.shift()
    this.#reading = undefined
  }

  handleReadyForQuery(): void {
    if (this.#unreadable) return this.callback(this.#unreadable)
    const results = this.#ended.map(({ reading = new Reading(undefined, this.#client), text }) => {
      reading.addCommandComplete({ text })
      return reading
    })
    this.callback(null, results)
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

/**
 * What the last statements of a message are answered, in their order; the first failure is the message's. `send` is the way past what the client
 * overrides.
 */
export async function lastAnswers(
  client: Client,
  send: (this: Client, submittable: Submittable) => unknown,
  text: string,
  wanted: number,
): Promise<readonly QueryResult[]> {
  try {
    return await new Promise((resolve, reject) => {
      const settle: Callback = (error, results) => (error ? reject(error) : resolve(results!))
      send.call(client, new LastAnswers(client, text, wanted, settle))
    })
  } catch (error) {
    // Of whoever asked, not of the socket.
    Error.captureStackTrace(error as Error)
    throw error
  }
}
