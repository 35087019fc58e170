import type { FastifyReply, FastifyRequest } from 'fastify'
import { authenticateApiKey } from '../domain/access/index.ts'
import { authenticateSession } from '../domain/identity/index.ts'
import { hostOf } from './host-state.ts'
import { knownOf } from './request-state.ts'
import { CredentialRefusedError, CredentialRequiredError } from './http.errors.ts'
import type { Principal, Program } from './principal.ts'
import { clearSessionCookie, sessionCookieOf } from './session-cookie.ts'

/** Before the body is read. A credential that is presented and doesn't hold is refused, never taken for nobody. */
export async function authenticate(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { access } = request.routeOptions.config
  if (request.is404 || access === 'public') return
  const known = knownOf(request)
  known.principal ??= await presented(request, reply)
  if (!known.principal && access !== 'optional') throw new CredentialRequiredError()
}

/** What has the shape of a credential and would be looked up. An explicit key counts before a cookie, which a browser adds by itself. */
export function credentialIn(request: FastifyRequest): string | undefined {
  const { authorization } = request.headers
  if (authorization !== undefined) return bearer.exec(authorization)?.[1]
  const token = sessionCookieOf(request)
  return token !== undefined && tokenShape.test(token) ? token : undefined
}

/** For an answer that goes on: whether the credential still holds. */
export async function stillHolds(request: FastifyRequest): Promise<boolean> {
  const { principal } = knownOf(request)
  const { database } = hostOf(request.server)
  const found =
    principal?.kind === 'person'
      ? await authenticateSession(database, principal.token)
      : await authenticateApiKey(database, credentialIn(request) ?? '')
  return Boolean(found)
}

async function presented(request: FastifyRequest, reply: FastifyReply): Promise<Principal | undefined> {
  const credential = credentialIn(request)
  if (request.headers.authorization !== undefined) return program(request, credential)
  if (sessionCookieOf(request) === undefined) return undefined
  const found = credential !== undefined && (await authenticateSession(hostOf(request.server).database, credential))
  if (found) return { kind: 'person', token: credential, ...found }
  clearSessionCookie(reply)
  throw new CredentialRefusedError()
}

async function program(request: FastifyRequest, key: string | undefined): Promise<Program> {
  const { database, throttle } = hostOf(request.server)
  const found = key !== undefined && (await authenticateApiKey(database, key))
  if (!found) throw new CredentialRefusedError()
  throttle?.learn(request, found.apiKey)
  return { kind: 'program', ...found }
}

const tokenShape = /^[A-Za-z0-9_-]{43}$/
const bearer = /^Bearer +(dbk_[A-Za-z0-9_]{1,200})$/i
