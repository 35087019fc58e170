import {
  type AnyEntity,
  type EntityMetadata,
  EventManager,
  type EventSubscriber,
  EventType,
  type TransactionEventType,
} from '@mikro-orm/core'
import { knownUnsentOf } from './unsent.ts'

type Args = Parameters<EventManager['dispatchEvent']>[1]

/** Ours. It hears of everything when all others have had their word, whenever they came, and asks the database nothing itself. */
export interface LastSubscriber extends EventSubscriber {
  readonly comesLast: true
}

/** Whatever a hook writes in the middle of a flush is its own, not the unit of work's: no change set tells of it. */
export class FlushAwareEventManager extends EventManager {
  readonly #last = new Set<LastSubscriber>()

  constructor(subscribers: Iterable<EventSubscriber>) {
    super([])
    for (const subscriber of subscribers) this.registerSubscriber(subscriber)
  }

  /** Those that come last; `getSubscribers` gives the others. */
  get last(): Iterable<LastSubscriber> {
    return this.#last
  }

  override registerSubscriber(subscriber: EventSubscriber): void {
    if ('comesLast' in subscriber) this.#last.add(subscriber as LastSubscriber)
    else super.registerSubscriber(subscriber)
  }

  override dispatchEvent<T extends AnyEntity>(event: EventType.onInit, args: Partial<Args>, meta?: EntityMetadata<T>): unknown
  override dispatchEvent<T extends AnyEntity>(
    event: EventType | TransactionEventType,
    args: Partial<Args>,
    meta?: EntityMetadata<T>,
  ): Promise<unknown>
  override dispatchEvent<T extends AnyEntity>(event: EventType, args: Partial<Args>, meta?: EntityMetadata<T>): unknown {
    const dispatch = () => super.dispatchEvent(event as EventType.beforeFlush, args as never, meta as never)
    if (event === EventType.onInit) return dispatch()
    const unsent = knownUnsentOf(args.em?.getTransactionContext())
    const heard = unsent?.isVouching ? unsent.outsideUnit(dispatch) : dispatch()
    const last = [...this.#last].filter(subscriber => subscriber[event])
    return last.length > 0 ? tellLast(heard, event, args, last) : heard
  }

  /** Whether anybody else could still ask the database something, or object, when this happens. */
  isHeard(event: keyof EventSubscriber): boolean {
    for (const subscriber of this.getSubscribers()) if (subscriber[event]) return true
    return false
  }

  override clone(): EventManager {
    return new FlushAwareEventManager([...this.getSubscribers(), ...this.#last])
  }
}

async function tellLast(heard: Promise<unknown>, event: EventType, args: Partial<Args>, last: readonly LastSubscriber[]): Promise<void> {
  await heard
  for (const subscriber of last) await subscriber[event]!(args as never)
}
