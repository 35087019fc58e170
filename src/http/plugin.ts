import cookie from '@fastify/cookie'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyPluginAsync } from 'fastify'
import type { Daybook } from '../orm/index.ts'
import { answerProblems } from './answer-problems.ts'
import { apiKeyRoutes } from './api-key.routes.ts'
import { authenticate } from './authentication.ts'
import { noticeAbandoned } from './client-signal.ts'
import { refuseCrossSite } from './cross-site.ts'
import { eventRoutes } from './event.routes.ts'
import { healthRoutes } from './health.routes.ts'
import { invitationRoutes } from './invitation.routes.ts'
import { acceptJsonOnly } from './json-body.ts'
import { Load, shedLoad } from './load-shedding.ts'
import { Outbox } from './mailer.ts'
import { meRoutes } from './me.routes.ts'
import { memberRoutes } from './member.routes.ts'
import { Metrics } from './metrics.ts'
import { metricsRoutes } from './metrics.routes.ts'
import { describeRoutes } from './openapi.ts'
import type { PluginOptions } from './options.ts'
import { organizationRoutes } from './organization.routes.ts'
import { allowOrigins } from './origins.ts'
import { passwordRoutes } from './password.routes.ts'
import { permissionRoutes } from './permission.routes.ts'
import { limitRates } from './rate-limits.ts'
import { echoRequestId } from './request-story.ts'
import { catalogue, registerResources } from './resources/index.ts'
import { roleRoutes } from './role.routes.ts'
import { setSecurityHeaders } from './security-headers.ts'
import { signInRoutes } from './sign-in.routes.ts'
import { traceRequests } from './trace-requests.ts'
import { compileValidator } from './validation.ts'

/**
 * The routes of the host, for an application of one's own: `app.register(daybookPlugin, { daybook, prefix: '/daybook' })`. Its hooks, error
 * handler and parsers stay inside, so the application's own routes are as they were.
 */
export const daybookPlugin: FastifyPluginAsync<PluginOptions & { readonly daybook: Daybook }> = async (instance, options) => {
  const outbox = new Outbox(options.mailer, instance.log)
  const closing = new AbortController()
  instance.addHook('preClose', async () => closing.abort())
  instance.decorateRequest('principal', undefined)
  instance.decorateRequest('organizationLocale', undefined)
  instance.addHook('onClose', () => outbox.settle())

  acceptJsonOnly(instance)
  instance.setValidatorCompiler(compileValidator)
  // In this order: nothing is looked up for a request that came too often or from elsewhere, and no body is read for nobody.
  traceRequests(instance)
  instance.addHook('onRequest', echoRequestId)
  instance.addHook('onRequest', setSecurityHeaders)
  await allowOrigins(instance, options.allowedOrigins ?? [])
  noticeAbandoned(instance)
  const load = new Load(options.daybook, options.load)
  const metrics = options.metrics ? new Metrics(options.daybook, load) : undefined
  shedLoad(instance, load, reason => metrics?.shed(reason))
  if (!instance.hasRequestDecorator('cookies')) await instance.register(cookie)
  const throttle = await limitRates(instance, options.rateLimits, limit => metrics?.throttled(limit))
  instance.decorate('daybook', {
    database: options.daybook,
    outbox,
    throttle,
    allowedOrigins: new Set(options.allowedOrigins),
    secureCookie: options.secureCookie ?? false,
    closing: closing.signal,
  })
  instance.addHook('preParsing', refuseCrossSite)
  instance.addHook('preParsing', authenticate)
  answerProblems(instance)

  const app = instance.withTypeProvider<TypeBoxTypeProvider>()
  if (options.docs ?? true) await describeRoutes(instance)
  healthRoutes(app, options.readinessCacheMs)
  if (metrics) metricsRoutes(instance, metrics, typeof options.metrics === 'object' ? options.metrics : {})
  signInRoutes(app)
  passwordRoutes(app)
  meRoutes(app)
  organizationRoutes(app)
  memberRoutes(app)
  invitationRoutes(app)
  roleRoutes(app)
  permissionRoutes(app)
  apiKeyRoutes(app)
  eventRoutes(app)
  registerResources(app, options.resources ?? Object.values(catalogue).flat())
}
