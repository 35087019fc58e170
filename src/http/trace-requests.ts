import { type Context, context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import { tracer } from '../kernel/tracing.ts'
import { routeOf, statusOf } from './route-of.ts'

declare module 'fastify' {
  interface FastifyRequest {
    traced: Context | undefined
  }
}

/**
 * One span for each request, below the caller's where `traceparent` names one. It holds the route's pattern and never the address itself,
 * whose query may be anything.
 */
export function traceRequests(app: FastifyInstance): void {
  app.decorateRequest('traced', undefined)
  app.addHook('onRequest', (request, _reply, done) => {
    const parent = propagation.extract(context.active(), request.headers)
    const route = routeOf(request)
    const attributes = { 'http.request.method': request.method, 'http.route': route, 'daybook.request_id': request.id }
    const span = tracer.startSpan(`${request.method} ${route}`, { kind: SpanKind.SERVER, attributes }, parent)
    request.traced = trace.setSpan(parent, span)
    context.with(request.traced, done)
  })
  // Reading a body leaves the context behind.
  app.addHook('preHandler', (request, _reply, done) => context.with(request.traced ?? context.active(), done))
  app.addHook('onResponse', async (request, reply) => {
    const span = request.traced && trace.getSpan(request.traced)
    if (!span) return
    const status = statusOf(reply)
    span.setAttribute('http.response.status_code', status)
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
  })
}
