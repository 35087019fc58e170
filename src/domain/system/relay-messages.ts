import { LockMode } from '@mikro-orm/core'
import { AuditEvent } from '../../audit/index.ts'
import { latest } from '../../kernel/clock.ts'
import { newId } from '../../kernel/id.ts'
import { messageOf } from '../../kernel/error.ts'
import { inTime } from '../../kernel/in-time.ts'
import type { ScopedEntityManager, Transact } from '../../orm/index.ts'
import { withoutPersonal } from '../../readers/index.ts'
import { eventBody } from './event-body.ts'
import { OutboxMessage } from './outbox-message.entity.ts'

export interface PublishedMessage {
  /** The same each time that it goes out, so that a receiver knows it again. */
  readonly id: string
  readonly tenantId: string
  readonly topic: string
  /** What has one topic and key arrives in the order of positions; one that was redelivered comes after those that passed it. */
  readonly key: string
  readonly position: number
  readonly payload: object
}

/** Where messages go: a broker, behind whichever client one uses. */
export interface Publisher {
  /** Resolves once the broker has it; what throws, or takes longer than the signal allows, is tried again later. */
  readonly publish: (message: PublishedMessage, signal: AbortSignal) => Promise<unknown>
}

export interface Relay {
  readonly publisher: Publisher
  readonly transact: Transact
}

const timeoutMs = 15_000
/** Whoever has taken messages has them for so long, and lets go of those for which the time might not suffice. */
const holdMs = 60_000
const keysAtOnce = 50
const ofOneKey = 20
const mostMessages = 200
const fewestLookedAt = 1_000
/** More than all relays at work have locked at once. */
const mostKeysTried = 500

/** Hands over what is due, some at a time; how many there were. Any number of processes may do so, and one may die at any moment. */
export async function relayMessages({ publisher, transact }: Relay, at: Date): Promise<number> {
  const claim = newId()
  const startedAt = performance.now()
  const runs = await transact(em => take(em, claim, at))
  const isInTime = () => performance.now() - startedAt < holdMs - timeoutMs
  const outcomes = await Promise.all(runs.map(run => handOver(publisher, run, isInTime)))
  const told = new Map(outcomes.flat())
  const ids = runs.flatMap(run => run.map(({ id }) => id))
  if (ids.length > 0) await transact(em => record(em, claim, ids, told, latest(at)))
  return ids.length
}

/** What waits behind another isn't due. The tenant is compared for the operator, whom no policy binds. */
export async function countDueMessages(em: ScopedEntityManager, at: Date, tenantId?: string): Promise<number> {
  const [row] = await em.execute<{ due: number }[]>(
    `select count(*)::int as due from (
       select distinct on (tenant_id, topic, key) available_at from outbox_message
         where status = 'PENDING' ${tenantId ? 'and tenant_id = ?' : ''} order by tenant_id, topic, key, position
     ) first where available_at <= ?`,
    [...(tenantId ? [tenantId] : []), at],
  )
  return row!.due
}

/** Without a payload, the event of which it tells is not in the log any more. */
type Taken = Omit<PublishedMessage, 'payload'> & { readonly payload?: object }

/**
 * Messages of one key each, in order. Only the first of a key can be taken, and whoever takes it takes some that follow: its row is the key's
 * lock.
 */
async function take(em: ScopedEntityManager, claim: string, at: Date): Promise<Taken[][]> {
  const due = (await dueRuns(em, at)).slice(0, mostKeysTried)
  if (due.length === 0) return []
  const firsts = await em.find(
    OutboxMessage,
    { id: { $in: due.map(([first]) => first!.id) }, status: 'PENDING', availableAt: { $lte: at } },
    { orderBy: { position: 'asc' }, limit: keysAtOnce, lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE },
  )
  const mine = new Set(firsts.map(({ id }) => id))
  const chosen = due.filter(([first]) => mine.has(first!.id)).flatMap(run => run.slice(0, ofOneKey))
  const longestWaiting = chosen.toSorted((one, other) => one.position - other.position).slice(0, mostMessages)
  const messages = await em.find(
    OutboxMessage,
    { id: { $in: longestWaiting.map(({ id }) => id) } },
    { orderBy: { position: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE },
  )
  const pending = messages.filter(({ status }) => status === 'PENDING')
  const runs = [...Map.groupBy(pending, keyOf).values()].map(run => {
    const later = run.findIndex(({ availableAt }) => availableAt > at)
    return later === -1 ? run : run.slice(0, later)
  })
  const until = new Date(latest(at).getTime() + holdMs)
  for (const message of runs.flat()) message.claim(claim, until)
  const bodies = await bodiesFor(em, runs.flat())
  return runs.map(run => run.map(message => taken(message, bodies)))
}

interface Waiting {
  readonly id: string
  readonly tenantId: string
  readonly topic: string
  readonly key: string
  readonly position: number
  readonly isDue: boolean
}

const keyOf = ({ tenantId, topic, key }: Pick<Waiting, 'tenantId' | 'topic' | 'key'>) => `${tenantId} ${topic} ${key}`

/**
 * The keys whose first message is due, each with what waits behind it. Among the messages that have waited longest, the first of a key is its
 * first of all, so as many are looked at as it takes, in one order and without comparing any two: a planner whose statistics are older than a
 * burst of messages would compare each with all.
 */
async function dueRuns(em: ScopedEntityManager, at: Date): Promise<Waiting[][]> {
  for (let most = fewestLookedAt; ; most *= 10) {
    const waiting = await em.execute<Waiting[]>(
      `select id, tenant_id as "tenantId", topic, key, position::float8 as position, available_at <= ? as "isDue" from outbox_message
         where status = 'PENDING' order by position limit ${most}`,
      [at],
    )
    const due = [...Map.groupBy(waiting, keyOf).values()].filter(([first]) => first!.isDue)
    if (due.length > 0 || waiting.length < most) return due
  }
}

function taken({ id, tenantId, topic, key, position, payload, event }: OutboxMessage, bodies: ReadonlyMap<string, object>): Taken {
  const body = payload ?? (event && bodies.get(event.id))
  return { id, tenantId, topic, key, position, ...(body && { payload: body }) }
}

/** A broker keeps what it was given when the log has forgotten a person, so it isn't given that. */
async function bodiesFor(em: ScopedEntityManager, messages: readonly OutboxMessage[]): Promise<ReadonlyMap<string, object>> {
  const ids = messages.flatMap(({ event }) => (event ? [event.id] : []))
  if (ids.length === 0) return new Map()
  const events = await em.find(AuditEvent, { id: { $in: ids } }, { disableIdentityMap: true })
  return new Map(withoutPersonal(em, events).map(event => [event.id, eventBody(event)]))
}

type Outcome = 'sent' | 'gone' | { readonly error: string }

/** One after the other, until one fails: what comes after that waits for it. */
async function handOver(publisher: Publisher, run: readonly Taken[], isInTime: () => boolean): Promise<[string, Outcome][]> {
  const outcomes: [string, Outcome][] = []
  for (const message of run) {
    if (!isInTime()) break
    const outcome = await tryToPublish(publisher, message)
    outcomes.push([message.id, outcome])
    if (typeof outcome === 'object') break
  }
  return outcomes
}

async function tryToPublish(publisher: Publisher, { payload, ...rest }: Taken): Promise<Outcome> {
  if (!payload) return 'gone'
  try {
    await inTime(timeoutMs, signal => publisher.publish({ ...rest, payload }, signal))
    return 'sent'
  } catch (error) {
    return { error: messageOf(error) }
  }
}

async function record(
  em: ScopedEntityManager,
  claim: string,
  ids: readonly string[],
  told: ReadonlyMap<string, Outcome>,
  at: Date,
): Promise<void> {
  const mine = { id: { $in: [...ids] }, lockedBy: claim }
  const messages = await em.find(OutboxMessage, mine, { orderBy: { position: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE })
  for (const message of messages) {
    const outcome = told.get(message.id)
    if (outcome === undefined) message.release(at)
    else if (outcome === 'sent') message.sent(at)
    else if (outcome === 'gone') message.abandon('The event is not in the log any more.')
    else message.fail(at, outcome.error, Math.random())
  }
}
