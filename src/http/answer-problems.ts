import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { DaybookError } from '../kernel/error.ts'
import { whyUnroutable } from './at-the-door.ts'
import { hostOf } from './host-state.ts'
import { languageOf } from './languages/index.ts'
import {
  HostBusyError,
  MethodNotAllowedError,
  RouteNotFoundError,
  TenantBusyError,
  TooManyListenersError,
  TooManyRequestsError,
} from './http.errors.ts'
import type { ProblemParts } from './problem-parts.ts'
import { problem } from './problems.ts'
import { problemOf } from './problem-of.ts'

const isOver = [TooManyRequestsError, TooManyListenersError, TenantBusyError]

/** Every refusal and every failure of the routes below `app` becomes application/problem+json. */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    // A hook of the application around this has refused, in a way that its own handler knows.
    if (isTheirs(error)) throw error
    const parts = problemOf(error, hostOf(request.server).problems)
    if (error instanceof MethodNotAllowedError) reply.header('allow', error.allowed.join(', '))
    if (isOver.some(kind => error instanceof kind)) reply.header('retry-after', (error as TooManyRequestsError).seconds)
    return sendProblem(parts, error, request, reply)
  })
}

/** Unknown paths and wrong methods are refused like everything else. */
export function answerUnknownPaths(app: FastifyInstance): void {
  const routes = rememberRoutes(app)
  app.setNotFoundHandler(request => {
    const unroutable = whyUnroutable(request)
    if (unroutable) throw unroutable
    const allowed = routes.methodsFor(request.url.split('?', 1)[0]!)
    throw allowed.length > 0 ? new MethodNotAllowedError(allowed) : new RouteNotFoundError()
  })
}

function isTheirs(error: unknown): boolean {
  const { statusCode = 500 } = error instanceof Error ? (error as { statusCode?: number }) : {}
  return statusCode < 500 && problemOf(error).code === 'internal'
}

export function sendProblem(parts: ProblemParts, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const language = languageOf(request)
  const answer = problem(parts, request.id, language)
  // Many at once are refused when there is too much to do, and logging each as a failure is more to do.
  const isFailure = answer.status >= 500 && !(error instanceof HostBusyError)
  if (isFailure) request.log.error({ err: error, code: answer.code }, 'a request failed')
  else request.log.info({ code: answer.code, ...(error instanceof DaybookError && { details: error.details }) }, 'a request was refused')
  if (answer.status === 401) reply.header('www-authenticate', 'Bearer realm="daybook"')
  if (answer.status === 503 && !reply.hasHeader('retry-after')) reply.header('retry-after', '1')
  reply.header('content-language', language.tag)
  // A string, so that no route's answer schema is applied to a problem.
  return reply.code(answer.status).type('application/problem+json').send(JSON.stringify(answer))
}

/** Fastify tells an unknown path and a wrong method apart for nobody, so the paths are remembered. */
function rememberRoutes(app: FastifyInstance): { methodsFor(path: string): string[] } {
  const routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = new RegExp(`^${url.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/:[A-Za-z]+/g, '[^/]+')}$`)
    routes.push({ pattern, methods: [method].flat() })
  })
  return {
    methodsFor: path => [...new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))].toSorted(),
  }
}
