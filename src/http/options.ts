import type { FastifyServerOptions } from 'fastify'
import type { Tools } from '../domain/agents/index.ts'
import type { DocumentStore } from '../domain/documents/index.ts'
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
  /** Under which address people reach these routes, for links in their mails: `https://api.example.com/daybook`. */
  readonly publicUrl?: string
  /** Other origins (`https://app.example.com`) whose pages may use a person's session. */
  readonly allowedOrigins?: readonly string[]
  /** The session cookie travels over https alone. It also does whenever a request came by https. */
  readonly secureCookie?: boolean
  /** False switches the limits off: for tests. */
  readonly rateLimits?: Partial<RateLimits> | false
  readonly readinessCacheMs?: number
  /** Whether `/openapi.json` and `/docs` describe the routes to everybody; they do unless this is false. */
  readonly docs?: boolean
  /** What Stripe's events are signed with: the secret of the endpoint, and the one before while they are exchanged. */
  readonly stripeSecrets?: readonly string[]
  /** What agents' tools do, by name, when a decision is approved or carried out. */
  readonly tools?: Tools
  readonly files?: Files
  /** What is served as resources; all of the product's (`catalogue`) unless said otherwise. Add your own with `resource(Entity, …)`. */
  readonly resources?: readonly Resource[]
}

export interface Files {
  /** Where the files of documents are; `.daybook/files` unless said otherwise. Give the jobs the same one. */
  readonly store?: DocumentStore
  /** No larger file is taken: 50 MB unless said otherwise. */
  readonly maxBytes?: number
  /** What is taken, of what can be told by its first bytes (`mediaTypes`): all of that unless said otherwise. */
  readonly accept?: readonly string[]
}

export interface HostOptions extends PluginOptions {
  readonly logger?: FastifyServerOptions['logger']
  /** Which proxies in front may say where a request came from. Without it `X-Forwarded-*` is not believed. */
  readonly trustProxy?: boolean | string | string[]
}

export const defaultRateLimits: RateLimits = { requests: 600, credentials: 10 }
export const bodyLimit = 64 * 1024
