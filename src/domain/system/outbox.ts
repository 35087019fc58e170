import type { EntityClass, MetadataStorage } from '@mikro-orm/core'
import { auditedTableOf } from '../../audit/index.ts'
import { now } from '../../kernel/clock.ts'
import { eventPattern, isNamedBy } from '../../kernel/event-pattern.ts'
import { newId } from '../../kernel/id.ts'
import { Row, type ScopedEntityManager } from '../../orm/index.ts'
import type { Handler } from '../../readers/index.ts'
import { OutboxMessage } from './outbox-message.entity.ts'
import { EventPatternError, PayloadRefusedError, TopicInvalidError, TopicUnfollowedError } from './system.errors.ts'

export interface PublishOptions {
  /** What has one key arrives in order: an entity's id, for instance. Without one, it stands alone. */
  readonly key?: string
  /** Not before then; what has the same key and comes later waits for it. */
  readonly availableAt?: Date
}

/**
 * Says something to the world, if and when what this EntityManager writes is committed. It stands in the database as it is until retention
 * removes it, and in the broker after that, so it is no place for secrets, nor for what tells of a person.
 */
export function publish(
  em: ScopedEntityManager,
  topic: string,
  payload: Readonly<Record<string, unknown>>,
  { key, availableAt = now() }: PublishOptions = {},
): OutboxMessage {
  requireTopic(topic)
  refuseRows(payload)
  const id = newId()
  return em.create(OutboxMessage, { id, topic, key: key ?? id, payload, availableAt })
}

/** Which events go to a topic by themselves, in the order of each entity's events. */
export interface TopicRule {
  readonly topic: string
  readonly entities?: readonly EntityClass<Row>[]
  /** `created`, `updated`, `deleted`, `tags-changed`; all of them unless said otherwise. */
  readonly actions?: readonly string[]
  /** Others by their names: `decision.*`, `auth.signed-in`. */
  readonly events?: readonly string[]
}

interface Topic {
  readonly topic: string
  readonly patterns: readonly string[]
}

/** What queues messages for these topics. A misspelt rule is found here, and not when the first event comes. */
export function queueMessages(rules: readonly TopicRule[], metadata: MetadataStorage): Handler {
  const topics = rules.map((rule): Topic => ({ topic: requireTopic(rule.topic), patterns: patternsOf(rule, metadata) }))
  return async (events, em) => {
    const rows = events.flatMap(event =>
      topics
        .filter(({ patterns }) => patterns.some(pattern => isNamedBy(pattern, event.type)))
        .map(({ topic }) => ({ id: newId(), tenant_id: event.tenantId, event_id: event.id, topic, key: event.entityId ?? event.id })),
    )
    if (rows.length > 0) await queue(em, rows)
  }
}

/** A person's own log isn't any tenant's, so nobody is told what stands there. */
async function queue(em: ScopedEntityManager, rows: readonly object[]): Promise<void> {
  await em.execute(
    `insert into outbox_message (id, tenant_id, event_id, topic, key, available_at)
       select w.id, w.tenant_id, w.event_id, w.topic, w.key, ?
         from jsonb_array_elements(?::jsonb) with ordinality e (row, place),
           jsonb_to_record(e.row) as w(id uuid, tenant_id uuid, event_id uuid, topic text, key text)
         where exists (select from organization o where o.id = w.tenant_id)
         order by e.place
       on conflict (tenant_id, topic, event_id) do nothing`,
    [now(), JSON.stringify(rows)],
  )
}

/** Everything that was given up goes out again, of one topic or of all; how many there were. */
export function redeliverDead(em: ScopedEntityManager, topic?: string, at: Date = now()): Promise<number> {
  const again = { status: 'PENDING' as const, attempts: 0, availableAt: at, error: null }
  return em.nativeUpdate(OutboxMessage, { status: 'DEAD', ...(topic && { topic }) }, again)
}

function patternsOf({ topic, entities = [], actions = ['*'], events = [] }: TopicRule, metadata: MetadataStorage): string[] {
  const names = entities.map(entity => {
    const name = auditedTableOf(metadata.get(entity))?.entity
    if (!name) throw new TopicUnfollowedError(topic, entity.name)
    return name
  })
  const patterns = [...names.flatMap(name => actions.map(action => `${name}.${action}`)), ...events]
  const shape = new RegExp(eventPattern)
  const wrong = patterns.length === 0 ? ['(nothing)'] : patterns.filter(pattern => !shape.test(pattern))
  if (wrong.length > 0) throw new EventPatternError(wrong)
  return patterns
}

function requireTopic(topic: string): string {
  if (!/^[\w.-]{1,249}$/.test(topic)) throw new TopicInvalidError(topic)
  return topic
}

/** An entity would take along all that stands in it, what tells of people too. */
function refuseRows(value: unknown): void {
  if (value instanceof Row) throw new PayloadRefusedError(value.constructor.name)
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(refuseRows)
}
