import type { ScopeInput } from '../context/index.ts'
import type { Daybook, ScopedEntityManager } from '../orm/index.ts'
import { type Handler, mine, type Progress, subscribe } from './subscribe.ts'

/** Something that is kept by following the log, and can be made from it anew. */
export interface Projection {
  readonly name: string
  readonly handle: Handler
  readonly clear: (em: ScopedEntityManager) => Promise<void>
}

/** Makes a projection anew: what it has goes and its position is the beginning, at once; then it catches up, batch by batch, or fails. */
export async function rebuild(
  daybook: Daybook,
  projection: Projection,
  options: {
    readonly scope: ScopeInput
    readonly batch?: number
    readonly onProgress?: (progress: Pick<Progress, 'position' | 'latest' | 'behind'>) => void
  },
): Promise<void> {
  const latest = await daybook.transact(options.scope, async em => {
    await em.execute(`select from audit_subscription where ${mine} for update`, [projection.name])
    await projection.clear(em)
    await em.execute(`update audit_subscription set reached = 0 where ${mine}`, [projection.name])
    const [mark] = await em.execute<{ seq: string }[]>('select seq::text from daybook_mark()')
    return Number(mark!.seq)
  })
  const { onProgress, ...rest } = options
  const failure = Promise.withResolvers<never>()
  // It may fail before anybody waits for it.
  failure.promise.catch(() => undefined)
  await using subscription = subscribe(
    daybook,
    projection.name,
    async (events, em) => {
      await projection.handle(events, em)
      const position = events.at(-1)!.seq
      onProgress?.({ position, latest: Math.max(latest, position), behind: Math.max(0, latest - position) })
    },
    { pollMs: 20, ...rest, onError: failure.reject },
  )
  await Promise.race([subscription.caughtUp(), failure.promise])
}
