import { canonicalJson } from '../../kernel/canonical-json.ts'
import { now } from '../../kernel/clock.ts'
import { digest } from '../../kernel/secret.ts'
import type { ScopedEntityManager } from '../../orm/index.ts'
import { IdempotencyKey } from './idempotency-key.entity.ts'
import { IdempotencyInFlightError, IdempotencyMismatchError } from './system.errors.ts'

export interface RepeatableRequest {
  readonly key: string
  readonly principal: string
  readonly method: string
  readonly route: string
  readonly body: unknown
}

export interface StoredAnswer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: unknown
  /** The permissions without which less would have been answered. */
  readonly shownFor?: readonly string[]
}

const keptMs = 24 * 60 * 60_000

/**
 * Answers a request once: what `work` answers is kept in the transaction in which it works, so it is done and remembered or neither. The same
 * request again gets the same answer; another one under the same key is refused, and so is one while the first is being answered.
 */
export async function answerOnce(
  em: ScopedEntityManager,
  { body, ...asked }: RepeatableRequest,
  work: () => Promise<StoredAnswer>,
  at: Date = now(),
): Promise<StoredAnswer & { readonly replayed: boolean }> {
  const { key, principal, method, route } = asked
  await takeTurn(em, principal, key)
  const requestHash = digest(canonicalJson({ method, route, body }))
  const known = await em.findOne(IdempotencyKey, { principal, key })
  if (known && known.expiresAt > at) {
    if (known.requestHash !== requestHash) throw new IdempotencyMismatchError()
    const { responseStatus, responseHeaders, responseBody, shownFor } = known
    return { status: responseStatus!, headers: responseHeaders ?? {}, body: responseBody ?? null, shownFor, replayed: true }
  }
  if (known) await em.nativeDelete(IdempotencyKey, { id: known.id })
  const { shownFor = [], ...answer } = await work()
  const told = {
    responseStatus: answer.status,
    responseHeaders: answer.headers,
    responseBody: answer.body,
    shownFor: [...shownFor],
  }
  // Not before: nobody else would see it, and whatever the work has flushed would take it along.
  em.create(IdempotencyKey, { ...asked, ...told, requestHash, status: 'DONE', expiresAt: new Date(at.getTime() + keptMs) })
  return { ...answer, shownFor, replayed: false }
}

/** Until the transaction ends. Nobody waits: whoever asks again at the same time learns that it is being done. */
async function takeTurn(em: ScopedEntityManager, principal: string, key: string): Promise<void> {
  const { tenantId } = em.boundScope as { tenantId?: string }
  const [row] = await em.execute<{ mine: boolean }[]>(`select pg_try_advisory_xact_lock(hashtextextended(?, 0)) as mine`, [
    `daybook idempotency ${tenantId ?? ''} ${principal} ${key}`,
  ])
  if (!row!.mine) throw new IdempotencyInFlightError()
}

const expired = (at: Date) => ({ expiresAt: { $lte: at } })

export function forgetIdempotencyKeys(em: ScopedEntityManager, at: Date): Promise<number> {
  return em.nativeDelete(IdempotencyKey, expired(at))
}

export function countExpiredIdempotencyKeys(em: ScopedEntityManager, at: Date, tenantId?: string): Promise<number> {
  return em.count(IdempotencyKey, { ...expired(at), ...(tenantId && { tenantId }) })
}
