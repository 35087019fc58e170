import type { FastifyInstance, FastifyRequest } from 'fastify'
import { digest, sameDigest } from '../kernel/secret.ts'
import { CredentialRefusedError, RouteNotFoundError } from './http.errors.ts'
import type { Metrics } from './metrics.ts'
import type { MetricsOptions } from './options.ts'
import { routeOf, statusOf } from './route-of.ts'

const shortestToken = 32

/** How busy a host is, is nobody's business: without the token, or from elsewhere, there is nothing here. */
export function metricsRoutes(app: FastifyInstance, metrics: Metrics, { path = '/metrics', token }: MetricsOptions): void {
  app.addHook('onClose', async () => metrics[Symbol.dispose]())
  if (token !== undefined && token.length < shortestToken)
    throw new TypeError(`metrics.token is shorter than ${shortestToken} characters. Make one with \`openssl rand -base64 32\`.`)
  const expected = token === undefined ? undefined : digest(token)
  app.addHook('onResponse', async (request, reply) =>
    metrics.answered(request.method, routeOf(request), statusOf(reply), reply.elapsedTime / 1000),
  )
  app.get(path, { config: { access: 'public', isUnlimited: true }, schema: { hide: true } }, async (request, reply) => {
    if (expected === undefined) refuseOthers(request)
    else if (!sameDigest(digest(bearerIn(request)), expected)) throw new CredentialRefusedError()
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })
}

function bearerIn({ headers }: FastifyRequest): string {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? ''
}

/**
 * Behind a proxy on this machine everybody comes from this machine, so whatever was passed on counts as from elsewhere. So does what names
 * another host: a page of a stranger's, whose name was made to point here, reads with the browser of whoever sits at this machine.
 */
function refuseOthers({ socket, headers }: FastifyRequest): void {
  const isHere = /^(?:127\.|::1$|::ffff:127\.)/.test(socket.remoteAddress ?? '')
  const wasPassedOn = Object.keys(headers).some(name => name.startsWith('x-forwarded') || passedOnBy.has(name))
  if (!isHere || wasPassedOn || !loopback.test(headers.host ?? '')) throw new RouteNotFoundError()
}

const passedOnBy: ReadonlySet<string> = new Set(['forwarded', 'via', 'x-real-ip'])
const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i
