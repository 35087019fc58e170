import type { ScopedEntityManager, Transact } from '../orm/index.ts'
import { eventsBetween, type FollowedEvent } from './followed-event.ts'
import { Horizon, leaveMark } from './horizon.ts'

/** Reads the log on from a position for somebody who listens, in the order of a follower; where they stand, only they know. */
export class Tail {
  readonly #horizon = new Horizon()
  #position: number

  constructor(position: number) {
    this.#position = position
  }

  /** What may be read now, some at a time; nothing where nothing is new, or where a slower transaction has yet to commit. */
  async next(transact: Transact, limit = 500): Promise<FollowedEvent[]> {
    const events = await transact(async em => {
      const end = await this.#horizon.from(em, this.#position)
      if (end === this.#position) return undefined
      const found = await eventsBetween(em, this.#position, end, limit)
      this.#position = found.length === limit ? found.at(-1)!.seq : end
      return found
    })
    if (!events) await transact(em => this.#horizon.mark(em, this.#position))
    return events ?? []
  }
}

/** Behind everything that has been written until now. */
export async function endOfLog(em: ScopedEntityManager): Promise<number> {
  const { seq } = await leaveMark(em)
  return seq
}
