import type { FastifyServerOptions } from 'fastify'
import type { Tools } from '../domain/agents/index.ts'
import type { DocumentStore } from '../domain/documents/index.ts'
import type { Daybook } from '../orm/index.ts'
import type { ListenerLimits } from './listeners.ts'
import type { Mailer } from './mailer.ts'
import type { OwnStatuses } from './problems.ts'
import type { catalogue, Resource } from './resources/index.ts'

export interface RateLimits {
  /** Requests per minute and address, over all routes. */
  readonly requests: number
  /** Requests per minute and address on each route that takes a password or sends a mail. */
  readonly credentials: number
  /** Requests per minute with one API key or session, wherever they come from. A key that has a lower limit of its own keeps it. */
  readonly perCredential: number
  /** Requests per minute in one tenant, whoever sends them. */
  readonly perTenant: number
}

export interface LoadLimits {
  /** How late the event loop may be, in milliseconds. By default 1000, and 0 with the embedded database, which works in the same process. */
  readonly eventLoopDelayMs: number
  /** How much of the heap's limit may be in use, between 0 and 1. */
  readonly heapUsed: number
  /** How many transactions may wait for a connection. */
  readonly poolWaiting: number
  /** How much of the pool one tenant may have, between 0 and 1. */
  readonly tenantShare: number
}

export interface MetricsOptions {
  /** Where they are served; `/metrics` unless said otherwise. */
  readonly path?: string
  /** Whoever sends it as `Authorization: Bearer …` is answered. Without one, only whoever asks from this very machine. */
  readonly token?: string
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
  /** The session cookie's name, with `__Host-` before it where it travels over https alone; applications with two databases have two. */
  readonly sessionCookie?: string
  /** Other origins (`https://app.example.com`) whose pages may read answers (CORS) and use a person's session. */
  readonly allowedOrigins?: readonly string[]
  /** The session cookie travels over https alone. It also does whenever a request came by https. */
  readonly secureCookie?: boolean
  /** Your own errors' codes, and what each is answered with: `{ 'fleet.vehicle_sold': 409 }`. */
  readonly problems?: OwnStatuses
  /** What agents' tools do, by name, besides `taskTools`, when a decision is approved or carried out. */
  readonly tools?: Tools
}

export interface PluginOptions extends RequestOptions {
  /** What is served; everything unless said otherwise. */
  readonly areas?: readonly Area[]
  /** Sends the mails. Without one they aren't sent. */
  readonly mailer?: Mailer
  /** Under which address people reach these routes, for links in their mails: `https://api.example.com/daybook`. */
  readonly publicUrl?: string
  /** False switches the limits off: for tests. */
  readonly rateLimits?: Partial<RateLimits> | false
  /** From when on requests are refused with 503; 0 leaves a measure out, false all of them. */
  readonly load?: Partial<LoadLimits> | false
  readonly listeners?: Partial<ListenerLimits>
  /** Numbers for Prometheus; not served unless asked for. */
  readonly metrics?: boolean | MetricsOptions
  readonly readinessCacheMs?: number
  /** Whether `/openapi.json` and `/docs` describe the routes to everybody; they do unless this is false. */
  readonly docs?: boolean
  /** What Stripe's events are signed with: the secret of the endpoint, and the one before while they are exchanged. */
  readonly stripeSecrets?: readonly string[]
  readonly files?: Files
  /** Resources of your own, besides those of the areas: `resource(Entity, …)`. */
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
  /** How long closing waits for those who are being answered, 30 seconds unless said otherwise; then their connections end. */
  readonly closeGraceMs?: number
  /** After so long without a byte in either direction a connection ends: 2 minutes unless said otherwise. 0 keeps it. */
  readonly connectionIdleMs?: number
}

export const defaultSessionCookie = 'daybook_session'
export const defaultRateLimits: RateLimits = { requests: 600, credentials: 10, perCredential: 600, perTenant: 6000 }
export const bodyLimit = 64 * 1024
