import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { PermissionDeniedError, type PermissionKey } from '../domain/access/index.ts'
import { answerOnce } from '../domain/system/internal.ts'
import { actorOf } from './principal.ts'
import { knownOf } from './request-state.ts'
import { atOnceInTenant, type Work } from './in-tenant.ts'

export interface Answer<B = unknown> {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly body?: B
  /** Shown with the body this once: they aren't kept, so whoever repeats the request doesn't see them again. */
  readonly secrets?: Readonly<Record<string, string>>
}

/** What says in a POST's headers that it may be sent again. */
export const idempotencyFields = { 'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) }
export const idempotencyHeaders = Type.Object(idempotencyFields)

/**
 * An answer that shows what is written when the unit of work is, so it is made after the commit. Made before, it would have to wait for what the
 * database answers to the last flush, with which COMMIT leaves: one round trip more for each row that is made.
 */
export type Later<B = unknown> = () => Answer<B>

/** Answers from the tenant's unit of work, a POST with an `Idempotency-Key` once. */
export async function respond<B>(
  request: FastifyRequest,
  reply: FastifyReply,
  permission: PermissionKey,
  handle: (work: Work) => Promise<Answer<B> | Later<B>>,
): Promise<B> {
  const { made } = await atOnceInTenant(request, permission, work => answeredOnce(request, work, request.body ?? null, handle))
  return bodyAfterHead(reply, made) as B
}

interface Made {
  readonly made: Answer | Later
  readonly isReplay: boolean
}

/**
 * A POST with an `Idempotency-Key` is answered once, and the same to everybody who sends it again: what was answered is kept in the transaction
 * in which it was done, and shown again to those alone who still have the permissions that it was shown for. `body` is what makes it the same
 * request, beside its address.
 */
export async function answeredOnce(
  request: FastifyRequest,
  work: Work,
  body: unknown,
  handle: (work: Work) => Promise<Answer | Later>,
): Promise<Made> {
  const key = request.method === 'POST' ? request.headers['idempotency-key'] : undefined
  if (typeof key !== 'string') return { made: await handle(work), isReplay: false }
  const { type, id } = actorOf(knownOf(request).principal!)
  const asked = { key, principal: `${type}:${id}`, method: request.method, route: request.url, body }
  let fresh: Answer = {}
  const {
    replayed,
    shownFor = [],
    ...answer
  } = await answerOnce(work.em, asked, async () => {
    const held = new Set<string>()
    const own = await handle(remembering(work, held))
    await work.em.flush()
    fresh = now(own)
    return { status: fresh.status ?? 200, headers: fresh.headers ?? {}, body: fresh.body ?? null, shownFor: [...held] }
  })
  return { made: replayed ? await again(answer, shownFor, work) : fresh, isReplay: replayed }
}

/** The same work, which remembers what whoever asks was found to be allowed. */
function remembering({ may, ...work }: Work, held: Set<string>): Work {
  return {
    ...work,
    may: async permission => {
      const allowed = await may(permission)
      if (allowed) held.add(permission)
      return allowed
    },
  }
}

/** Whoever has lost what the answer was shown for is told that it is done and which one it was, and where that isn't told there is nothing left. */
async function again(
  { status, headers, body }: Required<Omit<Answer, 'secrets'>>,
  shownFor: readonly string[],
  { may }: Work,
): Promise<Answer> {
  for (const permission of shownFor) {
    if (await may(permission)) continue
    const { id } = (body ?? {}) as { readonly id?: unknown }
    if (typeof id !== 'string') throw new PermissionDeniedError(permission, 'what was answered needs it')
    const { etag: _ofWhatWasShown, ...others } = headers
    return { status, headers: { ...others, 'idempotency-replayed': 'true' }, body: { id } }
  }
  return { status, headers: { ...headers, 'idempotency-replayed': 'true' }, body }
}

function now(made: Answer | Later): Answer {
  return typeof made === 'function' ? made() : made
}

/** What a handler gives to be sent. One that gave the reply itself would wait until the client has all of it. */
export function bodyAfterHead(reply: FastifyReply, made: Answer | Later): unknown {
  const { status = 200, headers = {}, body, secrets } = now(made)
  reply.code(status).headers(headers)
  if (status === 204) return undefined
  return secrets ? { ...(body as object), ...secrets } : body
}
