import type { FastifyInstance } from 'fastify'

/**
 * Lets the connections of a host that closes come to their end, and ends them itself after a while: whoever has stopped reading what they
 * asked for would otherwise keep it open for ever. One that was busy when closing began would stay open, idle, for as long as it is kept
 * alive: over a minute.
 */
export function endConnectionsOnClose(app: FastifyInstance, graceMs: number): void {
  app.addHook('preClose', done => {
    const { server } = app
    const idle = setInterval(() => server.closeIdleConnections(), 100)
    const all = setTimeout(() => server.closeAllConnections(), graceMs)
    server.once('close', () => {
      clearInterval(idle)
      clearTimeout(all)
    })
    done()
  })
}
