import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { HostBusyError, RequestInvalidError } from './http.errors.ts'
import { hostOf } from './host-state.ts'

/** What Node and Fastify would refuse in words of their own is let in here and refused like everything else. */
export const refusedByUs = { requireHostHeader: false } as const

/** Nothing that is expected of a host but `100-continue` has a meaning, so the rest is passed over, as RFC 9110 allows. */
export function passOverExpectations({ server }: FastifyInstance): void {
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => server.emit('request', request, response))
}

export async function refuseAtTheDoor({ raw, server }: FastifyRequest): Promise<void> {
  const hosts = raw.rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === 'host').length
  if (hosts === 0 && raw.httpVersion === '1.1') throw new RequestInvalidError([{ pointer: '#/host', detail: 'is required', in: 'headers' }])
  // A proxy may have looked at another than is looked at here.
  if (hosts > 1) throw new RequestInvalidError([{ pointer: '#/host', detail: 'is given more than once', in: 'headers' }])
  if (hostOf(server).closing.aborted) throw new HostBusyError('closing')
}

/** No route begins like this. */
const nowhere = '/-'
const unroutable = new WeakMap<IncomingMessage, Error>()

/**
 * An address that the router can't read reaches no hooks, and would be answered without what they count and tell. So it is routed once more,
 * as one at which nothing is, and there refused for what it was.
 */
export function routeAsNothing(app: FastifyInstance, error: Error, raw: IncomingMessage, response: ServerResponse): void {
  unroutable.set(raw, error)
  raw.url = nowhere
  app.routing(raw, response)
}

export function whyUnroutable({ raw }: FastifyRequest): Error | undefined {
  return unroutable.get(raw)
}
