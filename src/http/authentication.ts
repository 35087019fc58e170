import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Actor, apiKeyActor, userActor } from '../context/index.ts'
import { type ApiKey, authenticateApiKey } from '../domain/access/index.ts'
import { authenticateSession, type Session, type User } from '../domain/identity/index.ts'
import { CredentialRefusedError, CredentialRequiredError } from './http.errors.ts'
import { clearSessionCookie, sessionCookieOf } from './session-cookie.ts'

export interface Person {
  readonly kind: 'person'
  readonly user: User
  readonly session: Session
  readonly token: string
}

export interface Program {
  readonly kind: 'program'
  readonly apiKey: ApiKey
  readonly tenantId: string
}

/** Who sent a request. */
export type Principal = Person | Program

export function actorOf(principal: Principal): Actor {
  return principal.kind === 'person' ? userActor(principal.user) : apiKeyActor(principal.apiKey)
}

/** Before the body is read. A credential that is presented and doesn't hold is refused, never taken for nobody. */
export async function authenticate(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { access } = request.routeOptions.config
  if (request.is404 || access === 'public') return
  request.principal = await presented(request, reply)
  if (!request.principal && access !== 'optional') throw new CredentialRequiredError()
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
  const { principal, server } = request
  const { database } = server.daybook
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
  const found = credential !== undefined && (await authenticateSession(request.server.daybook.database, credential))
  if (found) return { kind: 'person', token: credential, ...found }
  clearSessionCookie(reply)
  throw new CredentialRefusedError()
}

async function program(request: FastifyRequest, key: string | undefined): Promise<Program> {
  const { database, throttle } = request.server.daybook
  const found = key !== undefined && (await authenticateApiKey(database, key))
  if (!found) throw new CredentialRefusedError()
  throttle.learn(request, found.apiKey)
  return { kind: 'program', ...found }
}

const tokenShape = /^[A-Za-z0-9_-]{43}$/
const bearer = /^Bearer +(dbk_[A-Za-z0-9_]{1,200})$/i
