import type { FastifyServerOptions } from 'fastify'
import type { Daybook } from '../orm/index.ts'
import type { Mailer } from './mailer.ts'
import type { OwnStatuses } from './problems.ts'
import type { catalogue, Resource } from './resources/index.ts'

export interface RateLimits {
  /** Requests per minute and address, over all routes. */
  readonly requests: number
  /** Requests per minute and address on each route that takes a password or sends a mail. */
  readonly credentials: number
}

/**
 * What can be served apart from the rest: `identity` signs people in and out, `access` has organizations, members, roles and keys, `log`
 * the events; each other one has the resources of that name in the catalogue.
 */
export type Area = 'health' | 'identity' | 'log' | keyof typeof catalogue

export interface MountOptions {
  readonly daybook: Daybook
}

export interface RequestOptions {
  /** The session cookie's name; applications with two databases have two. */
  readonly sessionCookie?: string
  /** Other origins (`https://app.example.com`) whose pages may use a person's session. */
  readonly allowedOrigins?: readonly string[]
  /** The session cookie travels over https alone. It also does whenever a request came by https. */
  readonly secureCookie?: boolean
  /** Your own errors' codes, and what each is answered with: `{ 'fleet.vehicle_sold': 409 }`. */
  readonly problems?: OwnStatuses
}

export interface PluginOptions extends RequestOptions {
  /** What is served; everything unless said otherwise. */
  readonly areas?: readonly Area[]
  /** Sends the mails. Without one they aren't sent. */
  readonly mailer?: Mailer
  /** False switches the limits off: for tests. */
  readonly rateLimits?: Partial<RateLimits> | false
  readonly readinessCacheMs?: number
  /** Whether `/openapi.json` and `/docs` describe the routes to everybody; they do unless this is false. */
  readonly docs?: boolean
  /** Resources of your own, besides those of the areas: `resource(Entity, …)`. */
  readonly resources?: readonly Resource[]
}

export interface HostOptions extends PluginOptions {
  readonly logger?: FastifyServerOptions['logger']
  /** Which proxies in front may say where a request came from. Without it `X-Forwarded-*` is not believed. */
  readonly trustProxy?: boolean | string | string[]
}

export const defaultSessionCookie = 'daybook_session'
export const defaultRateLimits: RateLimits = { requests: 600, credentials: 10 }
export const bodyLimit = 64 * 1024
