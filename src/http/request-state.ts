import type { Context } from '@opentelemetry/api'
import type { FastifyRequest } from 'fastify'
import type { Principal } from './principal.ts'

/** What is found out about a request on its way. */
export interface RequestState {
  principal?: Principal | undefined
  /** Of the organization in which the request has its work. */
  organizationLocale?: string
  /** Its answer has begun and goes on, so nothing can be refused any more. */
  isAnswering?: true
  /** Aborted when whoever sent it has gone before it was answered. */
  whenAbandoned?: AbortSignal
  /** The span in which it is answered. */
  traced?: Context
}

/** Beside the requests and not on them, where an application may have decorators of the same names. */
const requests = new WeakMap<FastifyRequest, RequestState>()

export function knownOf(request: FastifyRequest): RequestState {
  let known = requests.get(request)
  if (!known) requests.set(request, (known = {}))
  return known
}
