import type { FastifyInstance } from 'fastify'
import { Readable } from 'node:stream'

/**
 * The framework reads to its end what a HEAD isn't shown, whoever waits for it: of an export that is the whole log, page by page, as fast as the
 * database gives it. So nothing of it is begun.
 */
export function readNothingForHead(app: FastifyInstance): void {
  app.addHook('onSend', async ({ method }, _reply, payload) => {
    if (method !== 'HEAD' || !(payload instanceof Readable)) return payload
    payload.destroy()
    return Readable.from([])
  })
}
