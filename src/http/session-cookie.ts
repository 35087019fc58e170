import type { FastifyReply, FastifyRequest } from 'fastify'

const name = 'daybook_session'

export function sessionCookieOf(request: FastifyRequest): string | undefined {
  return request.cookies[name]
}

export function setSessionCookie(reply: FastifyReply, token: string, expires: Date): void {
  reply.setCookie(name, token, { ...attributes(reply), expires })
}

export function clearSessionCookie(reply: FastifyReply): void {
  reply.clearCookie(name, attributes(reply))
}

function attributes({ request, server }: FastifyReply) {
  return { path: '/', httpOnly: true, sameSite: 'lax', secure: server.daybook.secureCookie || request.protocol === 'https' } as const
}
