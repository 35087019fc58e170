import type { Daybook } from '../orm/index.ts'
import type { Principal } from './authentication.ts'
import type { Outbox } from './mailer.ts'

/** What the routes share. */
export interface HostState {
  readonly database: Daybook
  readonly outbox: Outbox
  readonly allowedOrigins: ReadonlySet<string>
  readonly secureCookie: boolean
  /** Aborted when the host begins to close, so that those who listen are let go. */
  readonly closing: AbortSignal
}

/** `public` routes look at no credential, `optional` ones at one that is presented. Every other route needs one. */
export type Access = 'public' | 'optional'

declare module 'fastify' {
  interface FastifyInstance {
    daybook: HostState
  }
  interface FastifyRequest {
    principal: Principal | undefined
    /** Of the organization in which the request has its work, once that is known. */
    organizationLocale: string | undefined
  }
  interface FastifyContextConfig {
    access?: Access
    /** Whoever asks is known by what they present, so another site may as well make a browser ask. */
    isFromAnywhere?: boolean
  }
}
