import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ApiKey } from '../domain/access/index.ts'
import type { Tools } from '../domain/agents/index.ts'
import type { Daybook } from '../orm/index.ts'
import { NotMountedError } from './http.errors.ts'
import type { Listeners } from './listeners.ts'
import type { Outbox } from './mailer.ts'
import type { OwnStatuses } from './problems.ts'
import type { RecentKeys } from './recent-keys.ts'
import type { Shares } from './shares.ts'

/** Counts the requests of those whom it can't know before they have been looked up. */
export interface Counter {
  learn(request: FastifyRequest, apiKey: Pick<ApiKey, 'rateLimitMax' | 'rateLimitWindow'>): void
  countTenant(request: FastifyRequest, tenant: string): Promise<void>
}

/** What the routes share. */
export interface HostState {
  readonly database: Daybook
  readonly outbox: Outbox
  readonly allowedOrigins: ReadonlySet<string>
  readonly sessionCookie: string
  readonly secureCookie: boolean
  readonly recentKeys: RecentKeys
  /** An application that mounts only the requests' scope counts requests in its own way. */
  readonly throttle?: Counter
  readonly shares?: Shares
  readonly listeners: Listeners
  readonly problems: OwnStatuses
  readonly tools: Tools
  /** Aborted when the host begins to close, so that those who listen are let go. */
  readonly closing: AbortSignal
}

/** `public` routes look at no credential, `optional` ones at one that is presented. Every other route needs one. */
export type Access = 'public' | 'optional'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** It is answered however often it is asked, and however busy the host is: for those who watch over it. */
    isUnlimited?: boolean
    /** Passwords or tokens could be guessed on it, or mails be caused. */
    isGuessable?: boolean
    /** What comes here carries its own proof and no cookie counts, so it may come from any site. */
    anySite?: true
    /** A file comes in, which may be long on its way. */
    takesTime?: true
    /** A body that is no JSON of ours, as the description shows it. */
    requestBody?: { readonly types: readonly string[]; readonly schema: object }
  }
}

/** Kept under a symbol, so that no decorator of the application has the same name. Contexts below inherit it. */
const key = Symbol('daybook')

export function keepHost(instance: FastifyInstance, state: HostState): void {
  instance.decorate(key, state)
}

export function hostOf(instance: object): HostState {
  const state = (instance as { readonly [key]?: HostState })[key]
  if (!state) throw new NotMountedError()
  return state
}
