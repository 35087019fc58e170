import cookie from '@fastify/cookie'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyPluginAsync } from 'fastify'
import type { Daybook } from '../orm/index.ts'
import { answerProblems } from './answer-problems.ts'
import { apiKeyRoutes } from './api-key.routes.ts'
import { authenticate } from './authentication.ts'
import { refuseCrossSite } from './cross-site.ts'
import { eventRoutes } from './event.routes.ts'
import { healthRoutes } from './health.routes.ts'
import { invitationRoutes } from './invitation.routes.ts'
import { acceptJsonOnly } from './json-body.ts'
import { Outbox } from './mailer.ts'
import { meRoutes } from './me.routes.ts'
import { memberRoutes } from './member.routes.ts'
import { describeRoutes } from './openapi.ts'
import type { PluginOptions } from './options.ts'
import { newsletterRoutes } from './newsletter.routes.ts'
import { organizationRoutes } from './organization.routes.ts'
import { passwordRoutes } from './password.routes.ts'
import { permissionRoutes } from './permission.routes.ts'
import { limitRates } from './rate-limits.ts'
import { echoRequestId } from './request-story.ts'
import { catalogue, registerResources } from './resources/index.ts'
import { roleRoutes } from './role.routes.ts'
import { setSecurityHeaders } from './security-headers.ts'
import { signInRoutes } from './sign-in.routes.ts'
import { compileValidator } from './validation.ts'

/**
 * The routes of the host, for an application of one's own: `app.register(daybookPlugin, { daybook, prefix: '/daybook' })`. Its hooks, error
 * handler and parsers stay inside, so the application's own routes are as they were.
 */
export const daybookPlugin: FastifyPluginAsync<PluginOptions & { readonly daybook: Daybook }> = async (instance, options) => {
  const outbox = new Outbox(options.mailer, instance.log)
  const closing = new AbortController()
  instance.addHook('preClose', async () => closing.abort())
  instance.decorate('daybook', {
    database: options.daybook,
    outbox,
    allowedOrigins: new Set(options.allowedOrigins),
    secureCookie: options.secureCookie ?? false,
    closing: closing.signal,
  })
  instance.decorateRequest('principal', undefined)
  instance.decorateRequest('organizationLocale', undefined)
  instance.addHook('onClose', () => outbox.settle())

  acceptJsonOnly(instance)
  instance.setValidatorCompiler(compileValidator)
  // In this order: nothing is looked up for a request that came too often or from elsewhere, and no body is read for nobody.
  instance.addHook('onRequest', echoRequestId)
  instance.addHook('onRequest', setSecurityHeaders)
  if (!instance.hasRequestDecorator('cookies')) await instance.register(cookie)
  await limitRates(instance, options.rateLimits)
  instance.addHook('preParsing', refuseCrossSite)
  instance.addHook('preParsing', authenticate)
  answerProblems(instance)

  const app = instance.withTypeProvider<TypeBoxTypeProvider>()
  if (options.docs ?? true) await describeRoutes(instance)
  healthRoutes(app, options.readinessCacheMs)
  signInRoutes(app, options.rateLimits)
  passwordRoutes(app, options.rateLimits)
  meRoutes(app)
  organizationRoutes(app)
  memberRoutes(app)
  invitationRoutes(app, options.rateLimits)
  roleRoutes(app)
  permissionRoutes(app)
  apiKeyRoutes(app)
  eventRoutes(app)
  newsletterRoutes(app, options.rateLimits)
  registerResources(app, options.resources ?? Object.values(catalogue).flat())
}
