import type { FastifyInstance, FastifyRequest } from 'fastify'

declare module 'fastify' {
  interface FastifyRequest {
    whenAbandoned: AbortController | undefined
  }
}

/**
 * Notices when whoever sent a request has gone before it was answered. The request's own `close` doesn't tell: it comes as soon as a body
 * has been read.
 */
export function noticeAbandoned(app: FastifyInstance): void {
  app.decorateRequest('whenAbandoned', undefined)
  app.addHook('onRequest', async (request, { raw }) => {
    const controller = new AbortController()
    request.whenAbandoned = controller
    raw.once('close', () => {
      if (!raw.writableEnded) controller.abort()
    })
  })
}

export function abandonedSignal({ whenAbandoned }: FastifyRequest): { readonly signal?: AbortSignal } {
  return whenAbandoned ? { signal: whenAbandoned.signal } : {}
}
