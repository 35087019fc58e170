import type { FastifyReply, FastifyRequest } from 'fastify'
import { hostOf } from './host-state.ts'

/**
 * Read and written here, because an application that this is mounted in may have its cookies parsed in its own way, or not at all. There are
 * several where a neighbour of the same site has put one beside ours, and no request tells whose is whose.
 */
export function sessionCookiesOf(request: FastifyRequest): readonly string[] {
  const { sessionCookie } = hostOf(request.server)
  const pairs = (request.headers.cookie ?? '').split(';').map(pair => pair.trim())
  const named = (name: string) => pairs.filter(pair => pair.startsWith(`${name}=`)).map(pair => pair.slice(name.length + 1))
  const surelyOurs = named(secureName(sessionCookie))
  return surelyOurs.length > 0 || isSecure(request) ? surelyOurs : named(sessionCookie)
}

export function setSessionCookie(reply: FastifyReply, token: string, expires: Date): void {
  reply.header('set-cookie', cookie(reply, token, `Expires=${expires.toUTCString()}`))
}

export function clearSessionCookie(reply: FastifyReply): void {
  reply.header('set-cookie', cookie(reply, '', `Max-Age=0; Expires=${new Date(0).toUTCString()}`))
}

function cookie({ request }: FastifyReply, token: string, lifetime: string): string {
  const { sessionCookie } = hostOf(request.server)
  const [name, secure] = isSecure(request) ? [secureName(sessionCookie), '; Secure'] : [sessionCookie, '']
  return `${name}=${token}; Path=/; ${lifetime}; HttpOnly; SameSite=Lax${secure}`
}

/** What begins with this no browser takes from a neighbour, nor over plain http. It asks for `Secure`, `Path=/` and no domain. */
const hostOnly = '__Host-'

/** How the cookie is called where it is `Secure`. */
export function secureName(sessionCookie: string): string {
  return sessionCookie.startsWith(hostOnly) ? sessionCookie : `${hostOnly}${sessionCookie}`
}

function isSecure({ server, protocol }: FastifyRequest): boolean {
  return hostOf(server).secureCookie || protocol === 'https'
}
