import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { PermissionKey } from '../domain/access/index.ts'
import { answerOnce } from '../domain/system/internal.ts'
import { actorOf } from './principal.ts'
import { knownOf } from './request-state.ts'
import { atOnceInTenant, type Work } from './in-tenant.ts'

export interface Answer {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly body?: unknown
  /** Shown with the body this once: they aren't kept, so whoever repeats the request doesn't see them again. */
  readonly secrets?: Readonly<Record<string, string>>
}

/** What says in a POST's headers that it may be sent again. */
export const idempotencyFields = { 'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) }
export const idempotencyHeaders = Type.Object(idempotencyFields)

/** An answer that shows what is written when the unit of work is. */
export type Later = () => Answer

/**
 * Answers from the tenant's unit of work. A POST with an `Idempotency-Key` is answered once, and the same to everybody who sends it again: what
 * was answered is kept in the transaction in which it was done.
 */
export async function respond(
  request: FastifyRequest,
  reply: FastifyReply,
  permission: PermissionKey,
  handle: (work: Work) => Promise<Answer | Later>,
): Promise<FastifyReply> {
  const key = request.method === 'POST' ? request.headers['idempotency-key'] : undefined
  const made = await atOnceInTenant(request, permission, async work => {
    if (typeof key !== 'string') return handle(work)
    const { type, id } = actorOf(knownOf(request).principal!)
    const asked = { key, principal: `${type}:${id}`, method: request.method, route: request.url, body: request.body ?? null }
    let fresh: Answer = {}
    const { replayed, ...answer } = await answerOnce(work.em, asked, async () => {
      const own = await handle(work)
      await work.em.flush()
      fresh = now(own)
      return { status: fresh.status ?? 200, headers: fresh.headers ?? {}, body: fresh.body ?? null }
    })
    return replayed ? { ...answer, headers: { ...answer.headers, 'idempotency-replayed': 'true' } } : fresh
  })
  return send(reply, now(made))
}

function now(made: Answer | Later): Answer {
  return typeof made === 'function' ? made() : made
}

export function send(reply: FastifyReply, { status = 200, headers = {}, body, secrets }: Answer): FastifyReply {
  reply.code(status).headers(headers)
  return body === undefined || status === 204 ? reply.send() : reply.send(secrets ? { ...(body as object), ...secrets } : body)
}
