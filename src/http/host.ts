import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Daybook } from '../orm/index.ts'
import { sendProblem } from './answer-problems.ts'
import { quietLogging } from './logging.ts'
import type { HostOptions } from './options.ts'
import { daybookApplication } from './plugin.ts'
import { problemOf } from './problem-of.ts'
import { echoRequestId, requestIdFrom } from './request-story.ts'
import { setSecurityHeaders } from './security-headers.ts'

/** A Fastify instance that serves an open database. Closing it finishes the requests and mails under way and leaves the database open. */
export function daybookHost(daybook: Daybook, options: HostOptions = {}): FastifyInstance {
  const { logger = false, trustProxy = false, ...pluginOptions } = options
  const quiet = quietLogging(daybook.orm.getMetadata())
  const app = Fastify({
    logger: typeof logger === 'object' ? { ...logger, ...quiet } : logger && quiet,
    trustProxy,
    genReqId: request => requestIdFrom(request.headers),
    requestIdHeader: false,
    forceCloseConnections: 'idle',
    // A file may take its time (see `hurryBodies`); whoever has not even said what they want holds a connection for ten seconds at the most.
    requestTimeout: 300_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 2_000 },
    frameworkErrors: (error, request, reply) => void refuseUnrouted(error, request, reply),
  })
  app.addHook('preClose', done => {
    letConnectionsEnd(app)
    done()
  })
  void app.register(daybookApplication, { ...pluginOptions, daybook })
  return app
}

/** A connection that was busy when closing began would stay open, idle, for as long as it is kept alive: over a minute. */
function letConnectionsEnd({ server }: FastifyInstance): void {
  const timer = setInterval(() => server.closeIdleConnections(), 100)
  server.once('close', () => clearInterval(timer))
}

/** Paths that the router itself refuses never reach the plugin's hooks and error handler. */
async function refuseUnrouted(error: FastifyError, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  await echoRequestId(request, reply)
  await setSecurityHeaders(request, reply)
  sendProblem(problemOf(error), error, request, reply)
}
