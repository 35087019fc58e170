import { fireEvents } from '../domain/automation/index.ts'
import { queueDeliveries, queueMessages, type TopicRule } from '../domain/system/internal.ts'
import type { Daybook } from '../orm/index.ts'
import { type Handler, subscribe, type Subscription } from '../readers/index.ts'
import { operatorOf } from './operator.ts'

export interface ReactionsOptions {
  readonly pollMs?: number
  readonly onError?: (error: unknown) => void
  /** Which events go to a broker's topics. Of several processes one follows the log at a time, so each is given the same. */
  readonly outbox?: readonly TopicRule[]
}

/** Follows the log of all tenants and queues, once each, what waits for its events. Several processes may do so, and one of them does. */
export function startReactions(daybook: Daybook, { pollMs = 1_000, onError, outbox = [] }: ReactionsOptions = {}): Subscription {
  // What waits for news in the log, and queues what follows. It does nothing else: what it writes commits with the position.
  const reactions: readonly Handler[] = [fireEvents, queueDeliveries, queueMessages(outbox, daybook.orm.getMetadata())]
  const react: Handler = async (events, em) => {
    for (const reaction of reactions) await reaction(events, em)
  }
  const options = { scope: operatorOf('reactions'), pollMs, unlogged: true, ...(onError && { onError }) }
  return subscribe(daybook, 'reactions', react, options)
}
