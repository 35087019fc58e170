import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Daybook } from '../orm/index.ts'
import type { Principal } from './authentication.ts'
import { NotMountedError } from './http.errors.ts'
import { Outbox } from './mailer.ts'
import { defaultSessionCookie, type MountOptions, type PluginOptions } from './options.ts'

/** What the routes share. */
export interface HostState {
  readonly database: Daybook
  readonly outbox: Outbox
  readonly allowedOrigins: ReadonlySet<string>
  readonly sessionCookie: string
  readonly secureCookie: boolean
  /** Aborted when the host begins to close, so that those who listen are let go. */
  readonly closing: AbortSignal
}

/** `public` routes look at no credential, `optional` ones at one that is presented. Every other route needs one. */
export type Access = 'public' | 'optional'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
}

/** Kept under a symbol, so that no decorator of the application has the same name. Contexts below inherit it. */
const key = Symbol('daybook')

/** What routes below `instance` work with, until it closes. */
export function keepHost(instance: FastifyInstance, options: PluginOptions & MountOptions): void {
  const outbox = new Outbox(options.mailer, instance.log)
  const closing = new AbortController()
  instance.addHook('preClose', async () => closing.abort())
  instance.addHook('onClose', () => outbox.settle())
  const { sessionCookie = defaultSessionCookie, secureCookie = false } = options
  const allowedOrigins = new Set(options.allowedOrigins)
  instance.decorate(key, { database: options.daybook, outbox, allowedOrigins, sessionCookie, secureCookie, closing: closing.signal })
}

export function hostOf(instance: object): HostState {
  const state = (instance as { readonly [key]?: HostState })[key]
  if (!state) throw new NotMountedError()
  return state
}

/** What is found out about a request on its way. */
export interface RequestState {
  principal?: Principal | undefined
  /** Of the organization in which the request has its work. */
  organizationLocale?: string
}

const requests = new WeakMap<FastifyRequest, RequestState>()

export function knownOf(request: FastifyRequest): RequestState {
  const known = requests.get(request) ?? {}
  requests.set(request, known)
  return known
}
