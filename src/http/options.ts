import type { FastifyServerOptions } from 'fastify'
import type { Mailer } from './mailer.ts'
import type { Resource } from './resources/index.ts'

export interface RateLimits {
  /** Requests per minute and address, over all routes. */
  readonly requests: number
  /** Requests per minute and address on each route that takes a password or sends a mail. */
  readonly credentials: number
}

export interface PluginOptions {
  /** Sends the mails. Without one they aren't sent. */
  readonly mailer?: Mailer
  /** Other origins (`https://app.example.com`) whose pages may use a person's session. */
  readonly allowedOrigins?: readonly string[]
  /** The session cookie travels over https alone. It also does whenever a request came by https. */
  readonly secureCookie?: boolean
  /** False switches the limits off: for tests. */
  readonly rateLimits?: Partial<RateLimits> | false
  readonly readinessCacheMs?: number
  /** Whether `/openapi.json` and `/docs` describe the routes to everybody; they do unless this is false. */
  readonly docs?: boolean
  /** What is served as resources; all of the product's (`catalogue`) unless said otherwise. Add your own with `resource(Entity, …)`. */
  readonly resources?: readonly Resource[]
}

export interface HostOptions extends PluginOptions {
  readonly logger?: FastifyServerOptions['logger']
  /** Which proxies in front may say where a request came from. Without it `X-Forwarded-*` is not believed. */
  readonly trustProxy?: boolean | string | string[]
}

export const defaultRateLimits: RateLimits = { requests: 600, credentials: 10 }
export const bodyLimit = 64 * 1024
