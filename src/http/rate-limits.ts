import rateLimit from '@fastify/rate-limit'
import type { FastifyContextConfig, FastifyInstance } from 'fastify'
import { TooManyRequestsError } from './http.errors.ts'
import { defaultRateLimits, type PluginOptions, type RateLimits } from './options.ts'

const timeWindow = 60_000

/** By address; an IPv6 address by its /64, which is what one subscriber gets. */
export async function limitRates(app: FastifyInstance, options: PluginOptions['rateLimits']): Promise<void> {
  await app.register(rateLimit, {
    global: true,
    max: limitsFrom(options).requests,
    timeWindow,
    ipv6Subnet: 64,
    errorResponseBuilder: (_request, { ttl }) => new TooManyRequestsError(Math.ceil(ttl / 1000)),
  })
}

/** For routes on which passwords or tokens could be guessed, or mails be caused. */
export function credentialLimit(options: PluginOptions['rateLimits']): FastifyContextConfig {
  return { rateLimit: { max: limitsFrom(options).credentials, timeWindow } }
}

function limitsFrom(options: PluginOptions['rateLimits']): RateLimits {
  const unlimited = Number.MAX_SAFE_INTEGER
  return options === false ? { requests: unlimited, credentials: unlimited } : { ...defaultRateLimits, ...options }
}
