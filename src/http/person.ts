import type { FastifyRequest } from 'fastify'
import type { Browser } from '../domain/identity/index.ts'
import type { Person } from './principal.ts'
import { knownOf } from './request-state.ts'
import { CredentialRequiredError, PersonRequiredError } from './http.errors.ts'

/** The signed-in person, for routes that mean nothing to a program. */
export function personIn(request: FastifyRequest): Person {
  const { principal } = knownOf(request)
  if (!principal) throw new CredentialRequiredError()
  if (principal.kind !== 'person') throw new PersonRequiredError()
  return principal
}

/** What a session remembers of where it was opened. */
export function browserOf({ ip, headers }: FastifyRequest): Browser {
  const userAgent = headers['user-agent']
  return { ip, ...(userAgent !== undefined && { userAgent }) }
}
