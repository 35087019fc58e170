import type { ScopedEntityManager } from '../orm/index.ts'

/** A position, and a transaction id that every transaction which may still write at or below it is older than. */
interface Mark {
  readonly seq: number
  readonly xact: string
}

/**
 * How far the log can be read in the order of `seq` without missing what a slower transaction has yet to commit.
 *
 * Numbers are taken when an event is written and seen when its transaction commits, so a lower one may appear after a higher one. Where no
 * number is missing, nothing can. At a gap the reader leaves a mark and waits until every transaction that is older than the mark has
 * ended; then the gap was a rollback, and everything up to the mark has settled. (The usual boundary, the snapshot's xmax, won't do: it is
 * one past the latest *ended* transaction, and running ones lie beyond it.)
 */
export class Horizon {
  #mark: Mark | undefined

  /** The last position that may be read from `position` on; `position` itself when nothing may. */
  async from(em: ScopedEntityManager, position: number): Promise<number> {
    const unbroken = await unbrokenFrom(em, position)
    if (unbroken > position) return unbroken
    const mark = this.#mark
    if (!mark || mark.seq <= position) return position
    return (await hasSettled(em, mark)) ? mark.seq : position
  }

  /** To be called in a transaction of its own, for the mark counts once that has ended. */
  async mark(em: ScopedEntityManager, position: number): Promise<void> {
    if (this.#mark && this.#mark.seq > position) return
    this.#mark = await leaveMark(em)
  }
}

/**
 * How far the whole log has settled, for whoever reads single tenants' logs, in which missing numbers tell nothing. It says so later than a
 * horizon does, and asks the same little however much was written.
 */
export class Settling {
  #settled = 0
  #mark: Mark | undefined

  /** Everything up to this position is there or never will be. */
  async reached(em: ScopedEntityManager): Promise<number> {
    const mark = this.#mark
    if (mark && (await hasSettled(em, mark))) {
      this.#settled = Math.max(this.#settled, mark.seq)
      if (this.#mark === mark) this.#mark = undefined
    }
    return this.#settled
  }

  /** To be called in a transaction of its own. A mark that still waits stays: a later one would have to wait for more. */
  async mark(em: ScopedEntityManager): Promise<void> {
    this.#mark ??= await leaveMark(em)
  }
}

/**
 * A server that crashes forgets numbers and ids that it gave to transactions under way, and gives them again; whoever keeps a mark would pass
 * over them. So a mark is written to the server's journal: once its transaction has ended, what it says outlives a crash.
 */
export async function leaveMark(em: ScopedEntityManager): Promise<Mark> {
  const [row] = await em.execute<{ seq: string; xact: string }[]>(
    `select seq::text, xact::text, pg_logical_emit_message(true, 'daybook mark', '') from daybook_mark()`,
  )
  return { seq: Number(row!.seq), xact: row!.xact }
}

async function hasSettled(em: ScopedEntityManager, { xact }: Mark): Promise<boolean> {
  const [row] = await em.execute<{ settled: boolean }[]>(`select pg_snapshot_xmin(pg_current_snapshot()) > ?::xid8 as settled`, [xact])
  return row!.settled
}

async function unbrokenFrom(em: ScopedEntityManager, position: number): Promise<number> {
  const [row] = await em.execute<{ last: string }[]>('select daybook_unbroken(?)::text as last', [position])
  return Number(row!.last)
}
