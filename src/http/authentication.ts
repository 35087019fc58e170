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

/** For an answer that goes on: whether the credential still holds. */
export async function stillHolds(request: FastifyRequest): Promise<boolean> {
  const { principal } = knownOf(request)
  const { database } = hostOf(request.server)
  const found =
    principal?.kind === 'person'
      ? await authenticateSession(database, principal.token)
      : await authenticateApiKey(database, bearer.exec(request.headers.authorization ?? '')?.[1] ?? '')
  return Boolean(found)
}

/** An explicit key counts before a cookie, which a browser adds by itself. */
async function presented(request: FastifyRequest, reply: FastifyReply): Promise<Principal | undefined> {
  const { authorization } = request.headers
  if (authorization !== undefined) return program(request, authorization)
  const token = sessionCookieOf(request)
  if (token === undefined) return undefined
  const found = tokenShape.test(token) && (await authenticateSession(hostOf(request.server).database, token))
  if (found) return { kind: 'person', token, ...found }
  clearSessionCookie(reply)
  throw new CredentialRefusedError()
}

async function program(request: FastifyRequest, authorization: string): Promise<Program> {
  const key = bearer.exec(authorization)?.[1]
  const found = key && (await authenticateApiKey(hostOf(request.server).database, key))
  if (!found) throw new CredentialRefusedError()
  return { kind: 'program', ...found }
}

const tokenShape = /^[A-Za-z0-9_-]{43}$/
const bearer = /^Bearer +(dbk_[A-Za-z0-9_]{1,200})$/i
