import type { FastifyRequest } from 'fastify'
import { CrossSiteRequestError } from './http.errors.ts'

const safe = ['GET', 'HEAD', 'OPTIONS', 'TRACE']
/** What an HTML form can send without the browser asking first. */
const formMethods = ['POST']

/**
 * Refuses what another site makes a browser send. It holds for sign-in too: a stranger who signs you in as themself reads what you write.
 * A key isn't sent by itself, so requests with one are free of it.
 */
export async function refuseCrossSite(request: FastifyRequest): Promise<void> {
  if (safe.includes(request.method) || request.headers.authorization !== undefined) return
  if (request.routeOptions.config.isFromAnywhere) return
  if (!isOurs(request)) throw new CrossSiteRequestError()
}

function isOurs(request: FastifyRequest): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (origin !== undefined && request.server.daybook.allowedOrigins.has(origin)) return true
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  if (origin !== undefined) return origin === `${request.protocol}://${request.host}`
  return !formMethods.includes(request.method) || isJson(request.headers['content-type'])
}

function isJson(contentType: string | undefined): boolean {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() === 'application/json'
}
