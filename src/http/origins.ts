import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import { isOrigin } from '../kernel/origin.ts'

/** What a page of another origin may read of an answer. */
const exposed = [
  'ETag',
  'Location',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'X-Request-Id',
  'Idempotency-Replayed',
  'Content-Disposition',
]
/** What it may send. */
const allowed = [
  'Content-Type',
  'Authorization',
  'If-Match',
  'If-None-Match',
  'Idempotency-Key',
  'Last-Event-Id',
  'X-Request-Id',
  'X-Correlation-Id',
  'Traceparent',
  'Tracestate',
]
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
const preflightSeconds = 600

/**
 * Lets pages of these origins, to the letter, read answers and use a person's session; the guard against other sites goes by the same
 * list. Without one no page of another origin reads anything.
 */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  const wrong = origins.find(origin => !isOrigin(origin))
  if (wrong !== undefined) throw new TypeError(`allowedOrigins: ${wrong} is not an origin like https://app.example.com.`)
  // An application that has CORS of its own says itself whom it lets in.
  if (origins.length === 0 || app.hasRequestDecorator('corsPreflightEnabled')) return
  app.addHook('onRoute', route => {
    if (route.method === 'OPTIONS') route.config = { ...route.config, access: 'public' }
  })
  const listed = new Set(origins)
  await app.register(cors, {
    origin: (origin, answer) => answer(null, origin !== undefined && listed.has(origin) && origin),
    credentials: true,
    exposedHeaders: exposed,
    allowedHeaders: allowed,
    methods,
    maxAge: preflightSeconds,
    // What isn't a preflight finds no route, as it would without any of this.
    strictPreflight: false,
  })
}
