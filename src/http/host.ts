import Fastify, { type FastifyInstance } from 'fastify'
import type { Daybook } from '../orm/index.ts'
import { passOverExpectations, refusedByUs, routeAsNothing } from './at-the-door.ts'
import { endConnectionsOnClose } from './closing.ts'
import { quietLogging } from './logging.ts'
import type { HostOptions } from './options.ts'
import { daybookApplication } from './plugin.ts'
import { requestIdFrom } from './request-story.ts'
import { answerUnreadable } from './unreadable.ts'

/**
 * A Fastify instance that serves an open database. Closing it finishes the requests and mails under way, if those who asked go on reading,
 * and leaves the database open.
 */
export function daybookHost(daybook: Daybook, options: HostOptions = {}): FastifyInstance {
  const { logger = false, trustProxy = false, closeGraceMs = 30_000, connectionIdleMs = 120_000, ...pluginOptions } = options
  const quiet = quietLogging(daybook.orm.getMetadata())
  const app: FastifyInstance = Fastify({
    logger: typeof logger === 'object' ? { ...logger, ...quiet } : logger && quiet,
    trustProxy,
    genReqId: request => requestIdFrom(request.headers),
    requestIdHeader: false,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    // A file may take its time (see `hurryBodies`); whoever has not even said what they want holds a connection for ten seconds at the most.
    requestTimeout: 300_000,
    // Who listens to events hears something every fifteen seconds, so in two minutes of nothing at all somebody has stopped reading.
    connectionTimeout: connectionIdleMs,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 2_000, ...refusedByUs },
    frameworkErrors: (error, { raw }, reply) => routeAsNothing(app, error, raw, reply.raw),
    clientErrorHandler: (error, socket) => answerUnreadable(error, socket, app.log),
  })
  passOverExpectations(app)
  endConnectionsOnClose(app, closeGraceMs)
  void app.register(daybookApplication, { ...pluginOptions, daybook })
  return app
}
