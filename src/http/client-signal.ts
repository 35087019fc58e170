import type { FastifyInstance, FastifyRequest } from 'fastify'
import { knownOf } from './request-state.ts'

/**
 * Notices when whoever sent a request has gone before it was answered. The request's own `close` doesn't tell: it comes as soon as a body
 * has been read.
 */
export function noticeAbandoned(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, { raw }) => {
    const controller = new AbortController()
    knownOf(request).whenAbandoned = controller.signal
    raw.once('close', () => {
      if (!raw.writableEnded) controller.abort()
    })
  })
}

export function abandonedSignal(request: FastifyRequest): { readonly signal?: AbortSignal } {
  const { whenAbandoned } = knownOf(request)
  return whenAbandoned ? { signal: whenAbandoned } : {}
}
