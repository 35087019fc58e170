import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import { tracer } from '../kernel/tracing.ts'
import { knownOf } from './request-state.ts'
import { routeOf, statusOf } from './route-of.ts'

/**
 * One span for each request, below the caller's where `traceparent` names one. It holds the route's pattern and never the address itself,
 * whose query may be anything.
 */
export function traceRequests(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const parent = propagation.extract(context.active(), request.headers)
    const route = routeOf(request)
    const attributes = { 'http.request.method': request.method, 'http.route': route, 'daybook.request_id': request.id }
    const span = tracer.startSpan(`${request.method} ${route}`, { kind: SpanKind.SERVER, attributes }, parent)
    const traced = trace.setSpan(parent, span)
    knownOf(request).traced = traced
    context.with(traced, done)
  })
  // Reading a body leaves the context behind.
  app.addHook('preHandler', (request, _reply, done) => context.with(knownOf(request).traced ?? context.active(), done))
  app.addHook('onResponse', async (request, reply) => {
    const { traced } = knownOf(request)
    const span = traced && trace.getSpan(traced)
    if (!span) return
    const status = statusOf(reply)
    span.setAttribute('http.response.status_code', status)
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
  })
}
