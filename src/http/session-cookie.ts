import type { FastifyReply, FastifyRequest } from 'fastify'
import { hostOf } from './host-state.ts'

/** Read and written here, because an application that this is mounted in may have its cookies parsed in its own way, or not at all. */
export function sessionCookieOf({ headers, server }: FastifyRequest): string | undefined {
  const name = hostOf(server).sessionCookie
  const pairs = (headers.cookie ?? '').split(';').map(pair => pair.trim())
  return pairs.find(pair => pair.startsWith(`${name}=`))?.slice(name.length + 1)
}

export function setSessionCookie(reply: FastifyReply, token: string, expires: Date): void {
  reply.header('set-cookie', cookie(reply, token, `Expires=${expires.toUTCString()}`))
}

export function clearSessionCookie(reply: FastifyReply): void {
  reply.header('set-cookie', cookie(reply, '', `Max-Age=0; Expires=${new Date(0).toUTCString()}`))
}

function cookie({ request, server }: FastifyReply, token: string, lifetime: string): string {
  const { sessionCookie: name, secureCookie } = hostOf(server)
  const isSecure = secureCookie || request.protocol === 'https'
  return `${name}=${token}; Path=/; ${lifetime}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
}
