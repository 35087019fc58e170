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

/** Ours, which has nothing to ask the database any more once the last statement of a flush has been sent. */
interface Quiet {
  readonly isQuietAtTheEnd?: true
}

/** Whatever a hook writes in the middle of a flush is its own, not the unit of work's: no change set tells of it. */
export class FlushAwareEventManager extends EventManager {
  override dispatchEvent<T extends AnyEntity>(event: EventType.onInit, args: Partial<Args>, meta?: EntityMetadata<T>): unknown
  override dispatchEvent<T extends AnyEntity>(
    event: EventType | TransactionEventType,
    args: Partial<Args>,
    meta?: EntityMetadata<T>,
  ): Promise<unknown>
  override dispatchEvent<T extends AnyEntity>(event: EventType, args: Partial<Args>, meta?: EntityMetadata<T>): unknown {
    const dispatch = () => super.dispatchEvent(event as EventType.beforeFlush, args as never, meta as never)
    const unsent = event === EventType.onInit ? undefined : knownUnsentOf(args.em?.getTransactionContext())
    return unsent?.isVouching ? unsent.outsideUnit(dispatch) : dispatch()
  }

  /** Whether a subscriber could still ask the database something, or object, when this happens. */
  isHeard(event: keyof EventSubscriber): boolean {
    for (const subscriber of this.getSubscribers() as Set<EventSubscriber & Quiet>)
      if (!subscriber.isQuietAtTheEnd && subscriber[event]) return true
    return false
  }

  override clone(): EventManager {
    return new FlushAwareEventManager(this.getSubscribers())
  }
}
