import type { FastifyReply, FastifyRequest } from 'fastify'
import { authenticateApiKey } from '../domain/access/index.ts'
import { authenticateSession } from '../domain/identity/index.ts'
import { hostOf } from './host-state.ts'
import { knownOf } from './request-state.ts'
import { CredentialRefusedError, CredentialRequiredError } from './http.errors.ts'
import type { Principal, Program } from './principal.ts'
import { clearSessionCookie, sessionCookiesOf } from './session-cookie.ts'

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
  const [token, ...others] = sessionCookiesOf(request)
  return token !== undefined && others.length === 0 && tokenShape.test(token) ? token : undefined
}

/** For a request that takes its time: whoever has signed out meanwhile is refused. */
export async function requireSession(request: FastifyRequest): Promise<void> {
  if (!(await sessionHolds(request))) throw new CredentialRefusedError()
}

/** For an answer that goes on: whether a person is still signed in. A program's key is asked for in each of its transactions. */
export async function sessionHolds(request: FastifyRequest): Promise<boolean> {
  const { principal } = knownOf(request)
  if (principal?.kind !== 'person') return true
  return Boolean(await authenticateSession(hostOf(request.server).database, principal.token))
}

async function presented(request: FastifyRequest, reply: FastifyReply): Promise<Principal | undefined> {
  const credential = credentialIn(request)
  if (request.headers.authorization !== undefined) return program(request, credential)
  const tokens = sessionCookiesOf(request)
  if (tokens.length === 0) return undefined
  const found = credential !== undefined && (await authenticateSession(hostOf(request.server).database, credential))
  if (found) return { kind: 'person', token: credential, ...found }
  // Of several, ours alone would go, and the one that somebody else has put there would count from then on.
  if (tokens.length === 1) clearSessionCookie(reply)
  throw new CredentialRefusedError()
}

async function program(request: FastifyRequest, key: string | undefined): Promise<Program> {
  const { database, recentKeys, throttle } = hostOf(request.server)
  if (key === undefined) throw new CredentialRefusedError()
  const recent = recentKeys.find(key)
  if (recent) return { kind: 'program', key, ...recent }
  const found = await authenticateApiKey(database, key)
  if (!found) throw new CredentialRefusedError()
  throttle?.learn(request, found.apiKey)
  const known = { apiKeyId: found.apiKey.id, tenantId: found.tenantId, found: found.admission.found }
  recentKeys.remember(key, known)
  return { kind: 'program', key, ...known }
}

const tokenShape = /^[A-Za-z0-9_-]{43}$/
const bearer = /^Bearer +(dbk_[A-Za-z0-9_]{1,200})$/i
