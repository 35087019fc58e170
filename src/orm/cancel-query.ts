import pg from 'pg'

/** The driver has these, and its types don't. */
interface Connected {
  readonly host: string
  readonly port: number
  readonly ssl: boolean | object
  readonly sslNegotiation?: string
  readonly processID: number
  readonly secretKey: number
}

interface Wire {
  connect(port: number, host: string): void
  connect(path: string): void
  requestSsl(): void
  cancel(processId: number, secretKey: number): void
  on(event: string, listener: () => void): void
  readonly stream: { destroy(): void }
}

const longestMs = 5_000

/**
 * Stops what a client's session is running, by PostgreSQL's own request for it, which needs neither a place in the pool nor a right, and
 * goes through poolers. It is done when the server has closed that connection: from then on the request can hit nothing that comes later.
 */
export function cancelQuery(client: pg.Client): Promise<void> {
  const { host, port, ssl, sslNegotiation, processID, secretKey } = client as unknown as Connected
  const asItself = { ssl, sslNegotiation }
  const wire = new pg.Connection(asItself) as unknown as Wire
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(() => wire.stream.destroy(), longestMs)
  const ask = () => wire.cancel(processID, secretKey)
  wire.on('connect', () => {
    if (!ssl) ask()
    else if (sslNegotiation !== 'direct') wire.requestSsl()
  })
  wire.on('sslconnect', ask)
  // Whoever can't be reached is not stopped; the statement's own time limit is.
  wire.on('error', () => wire.stream.destroy())
  wire.on('end', resolve)
  if (host.startsWith('/')) wire.connect(`${host}/.s.PGSQL.${port}`)
  else wire.connect(port, host)
  return promise.finally(() => clearTimeout(timer))
}
