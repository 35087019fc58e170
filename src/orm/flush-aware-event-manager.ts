import { type AnyEntity, type EntityMetadata, EventManager, EventType, type TransactionEventType } from '@mikro-orm/core'
import { knownUnsentOf } from './unsent.ts'

type Args = Parameters<EventManager['dispatchEvent']>[1]

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

  override clone(): EventManager {
    return new FlushAwareEventManager(this.getSubscribers())
  }
}
