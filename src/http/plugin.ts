import type { MetadataStorage } from '@mikro-orm/core'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { answerProblems, answerUnknownPaths } from './answer-problems.ts'
import { registerRoutes, resourcesOf } from './areas.ts'
import { refuseAtTheDoor } from './at-the-door.ts'
import { authenticate } from './authentication.ts'
import { noticeAbandoned } from './client-signal.ts'
import { refuseCrossSite } from './cross-site.ts'
import { hearOut } from './hear-out.ts'
import { readNothingForHead } from './head-requests.ts'
import { acceptJsonOnly } from './json-body.ts'
import { Load, loadLimits, shedLoad } from './load-shedding.ts'
import { quietLogging } from './logging.ts'
import { Metrics } from './metrics.ts'
import { metricsRoutes } from './metrics.routes.ts'
import { openHost } from './open-host.ts'
import { describeRoutes } from './openapi.ts'
import type { MountOptions, PluginOptions } from './options.ts'
import { allowOrigins } from './origins.ts'
import { limitRates } from './rate-limits.ts'
import { echoRequestId } from './request-story.ts'
import { registerResources } from './resources/index.ts'
import { setSecurityHeaders } from './security-headers.ts'
import { Shares } from './shares.ts'
import { compileSerializer } from './serialization.ts'
import { hurryBodies } from './slow-bodies.ts'
import { traceRequests } from './trace-requests.ts'
import { compileValidator } from './validation.ts'

/**
 * The routes of the host, or of some areas, for an application of one's own: `app.register(daybookPlugin, { daybook, prefix: '/daybook' })`.
 * Its hooks, error handler and parsers stay inside, so the application's own routes are as they were. What isn't there below the prefix is
 * answered here too; without a prefix, unknown paths are the application's.
 */
export const daybookPlugin: FastifyPluginAsync<PluginOptions & MountOptions> = async (instance, options) => {
  await mount(instance, options, instance.prefix !== '')
}

/** The same as the whole of an application, which answers for every path. */
export const daybookApplication: FastifyPluginAsync<PluginOptions & MountOptions> = (instance, options) => mount(instance, options, true)

async function mount(instance: FastifyInstance, options: PluginOptions & MountOptions, answersUnknownPaths: boolean): Promise<void> {
  useOwnFormats(instance, options.daybook.orm.getMetadata())
  // In this order: nothing is looked up for a request that came too often or from elsewhere, and no body is read for nobody.
  traceRequests(instance)
  instance.addHook('onRequest', hearOut)
  instance.addHook('onRequest', echoRequestId)
  instance.addHook('onRequest', setSecurityHeaders)
  readNothingForHead(instance)
  await allowOrigins(instance, options.allowedOrigins ?? [])
  instance.addHook('onRequest', refuseAtTheDoor)
  noticeAbandoned(instance)
  const load = new Load(options.daybook, options.load)
  const metrics = options.metrics ? new Metrics(options.daybook, load) : undefined
  shedLoad(instance, load, reason => metrics?.shed(reason))
  const shares = Shares.of(options.daybook, loadLimits(options.daybook, options.load), () => metrics?.throttled('connections'))
  openHost(instance, options, await limitRates(instance, options.rateLimits, limit => metrics?.throttled(limit)), shares)
  instance.addHook('preParsing', hurryBodies)
  instance.addHook('preParsing', refuseCrossSite)
  instance.addHook('preParsing', authenticate)
  answerProblems(instance)
  if (answersUnknownPaths) answerUnknownPaths(instance)
  await describeRoutes(instance, options)

  const app = instance.withTypeProvider<TypeBoxTypeProvider>()
  if (metrics) metricsRoutes(instance, metrics, typeof options.metrics === 'object' ? options.metrics : {})
  registerRoutes(app, options, registerResources(app, resourcesOf(options)))
}

/** An application around this may read, check, write and log in its own ways, which contexts inherit. */
function useOwnFormats(instance: FastifyInstance, metadata: MetadataStorage): void {
  acceptJsonOnly(instance)
  instance.setValidatorCompiler(compileValidator)
  instance.setSerializerCompiler(compileSerializer)
  // One for all answers would come before those of the schemas. The type doesn't know that there may be none.
  Reflect.apply(Reflect.get(instance, 'setReplySerializer'), instance, [null])
  const { serializers } = quietLogging(metadata)
  instance.addHook('onRoute', route => {
    route.logSerializers = { ...route.logSerializers, ...serializers } as typeof route.logSerializers & object
  })
}
