import type { FastifyReply, FastifyRequest } from 'fastify'

/** The pattern of a request's route, of which there are as many as there are routes. */
export function routeOf(request: FastifyRequest): string {
  return request.is404 ? 'unmatched' : (request.routeOptions.url ?? 'unmatched')
}

/** 499 when nobody was there any more to read the answer. */
export function statusOf({ raw, statusCode }: FastifyReply): number {
  return raw.writableEnded ? statusCode : 499
}
