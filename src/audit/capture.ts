import {
  type ChangeSet,
  ChangeSetType,
  type EntityMetadata,
  type EventSubscriber,
  type FlushEventArgs,
  isRaw,
  type TransactionEventArgs,
  type UnitOfWork,
  wrap,
} from '@mikro-orm/core'
import type { ScopedEntityManager } from '../orm/index.ts'
import { type Unsent, unsentOf } from '../orm/index.ts'
import { type AuditedTable, auditedTableOf } from './audited-table.ts'
import { type Change, EventBuffer, type Values } from './event-buffer.ts'
import { recordedFieldsOf, type Snapshot, snapshotOf } from './recorded-fields.ts'

/**
 * The write side of the log. It reads the change sets of each flush once, between the transaction's start and the first statement, and
 * again when they have been written; what changed goes into the transaction's outbox, which leaves with COMMIT.
 *
 *   implicit   onFlush · begin · afterTransactionStart → begin    beforeTransactionCommit → end · commit
 *   explicit   onFlush → begin                                    afterFlush → end
 *
 * Between begin and end the unit of work vouches for its statements, and the sentinel is silent.
 */
export class AuditCapture implements EventSubscriber {
  readonly #flushes = new WeakMap<UnitOfWork, Flush>()

  async onFlush({ em, uow }: FlushEventArgs): Promise<void> {
    const flush = new Flush(em as ScopedEntityManager, uow)
    if (flush.isEmpty) return
    this.#flushes.set(uow, flush)
    const transaction = em.getTransactionContext<object>()
    if (transaction) await flush.begin(transaction)
  }

  async afterTransactionStart({ uow, transaction }: TransactionEventArgs): Promise<void> {
    await this.#flushes.get(uow!)?.begin(transaction)
  }

  beforeTransactionCommit({ uow }: TransactionEventArgs): void {
    this.#end(uow!)
  }

  afterFlush({ uow }: FlushEventArgs): void {
    this.#end(uow)
  }

  #end(uow: UnitOfWork): void {
    this.#flushes.get(uow)?.end()
    this.#flushes.delete(uow)
  }
}

interface Pending {
  readonly set: ChangeSet<object>
  readonly table: AuditedTable
  readonly meta: EntityMetadata
  before: Values | undefined
}

/** One flush, from its change sets to what they did. */
class Flush {
  readonly #em: ScopedEntityManager
  #pending: Pending[]
  #unsent: Unsent | undefined

  constructor(em: ScopedEntityManager, uow: UnitOfWork) {
    this.#em = em
    this.#pending = uow.getChangeSets().flatMap(set => {
      const table = auditedTableOf(set.meta)
      return table ? [{ set, table, meta: set.meta, before: valuesBefore(set) }] : []
    })
  }

  get isEmpty(): boolean {
    return this.#pending.length === 0
  }

  /** A flush that leaves a value to the database (`raw`) vouches for nothing: what it will be, only the sentinel sees. */
  async begin(transaction: object): Promise<void> {
    if (this.#unsent || this.#pending.some(({ set }) => Object.values(set.payload).some(isRaw))) return
    const unsent = (this.#unsent = await unsentOf(transaction))
    await this.#lookUpUnknown(transaction)
    const buffer = (unsent.outbox as EventBuffer | undefined) ?? new EventBuffer()
    unsent.outbox = buffer
    buffer.pull = () => this.#collect(buffer, unsent)
    unsent.beginUnit(() => {
      this.#collect(buffer, unsent)
      buffer.pull = undefined
    })
  }

  end(): void {
    this.#unsent?.endUnit()
  }

  /** Whatever has been written by now; the rest stays pending. A flush that failed half way has written half. */
  #collect(buffer: EventBuffer, unsent: Unsent): void {
    const [written, rest] = [this.#pending.filter(isWritten), this.#pending.filter(pending => !isWritten(pending))]
    this.#pending = rest
    written.sort((a, b) => stages.indexOf(a.set.type) - stages.indexOf(b.set.type))
    for (const pending of written) buffer.record(this.#changeOf(pending, unsent))
  }

  #changeOf(pending: Pending, unsent: Unsent): Change {
    const { set, table, meta, before } = pending
    const isDeletion = deletions.has(set.type)
    const after = isDeletion ? undefined : { snapshot: withVersion(set, snapshotOf(set.entity)) }
    if (set.type === ChangeSetType.CREATE) createdHere.add(set.entity)
    return {
      entity: table.entity,
      id: String(wrap(set.entity, true).getPrimaryKey()),
      log: this.#logOf(pending)!,
      decision: unsent.get('daybook.decision_id'),
      fields: recordedFieldsOf(meta, this.#em.getPlatform()),
      versionProperty: meta.versionProperty,
      before: set.type === ChangeSetType.CREATE ? undefined : before,
      after,
      touched: set.type === ChangeSetType.CREATE || isDeletion ? undefined : new Set([...Object.keys(set.payload), meta.versionProperty]),
    }
  }

  /** Whose log it is: the entity knows, or what was looked up, or the scope. */
  #logOf({ set, table, before }: Pending): string | undefined {
    const property = set.meta.props.find(({ fieldNames }) => fieldNames?.[0] === table.logColumn)!
    const value = (set.entity as Record<string, unknown>)[property.name]
    if (typeof value === 'string') return value
    if (value) return String(wrap(value, true).getPrimaryKey())
    if (before && 'texts' in before && before.texts[table.logColumn]) return JSON.parse(before.texts[table.logColumn]!) as string
    const scope = this.#em.boundScope
    return scope?.kind === 'tenant' && table.logColumn === 'tenant_id' ? scope.tenantId : undefined
  }

  /**
   * A reference that was updated without being loaded, or an entity loaded in part: the values from before are unknown, so they are read
   * under the row's lock. Most flushes have none.
   */
  async #lookUpUnknown(transaction: object): Promise<void> {
    const platform = this.#em.getPlatform()
    const unknown = this.#pending.filter(
      pending =>
        this.#logOf(pending) === undefined ||
        hasUnknown(
          pending,
          recordedFieldsOf(pending.meta, platform).map(({ property }) => property),
        ),
    )
    for (const [tableName, ofTable] of Map.groupBy(unknown, ({ meta }) => meta.tableName)) {
      const ids = ofTable.map(({ set }) => String(wrap(set.entity, true).getPrimaryKey()))
      const rows = await this.#em
        .getConnection()
        .execute<{ id: string; texts: Record<string, string> }[]>(
          `select t.id, (select json_object_agg(key, value::text) from jsonb_each(daybook_told(t))) as texts from "${tableName}" t where t.id in (${ids.map(() => '?').join(', ')}) for update`,
          ids,
          'all',
          transaction,
        )
      const found = new Map(rows.map(({ id, texts }) => [id, texts]))
      for (const [index, pending] of ofTable.entries()) {
        const texts = found.get(ids[index]!)
        if (texts) pending.before = { texts }
      }
    }
  }
}

/** In which order the unit of work writes. */
const stages: readonly ChangeSetType[] = [
  ChangeSetType.DELETE_EARLY,
  ChangeSetType.UPDATE_EARLY,
  ChangeSetType.CREATE,
  ChangeSetType.UPDATE,
  ChangeSetType.DELETE,
]
const deletions: ReadonlySet<ChangeSetType> = new Set([ChangeSetType.DELETE, ChangeSetType.DELETE_EARLY])

/** Entities that this process created: what they don't say is null in the database. */
const createdHere = new WeakSet<object>()

function valuesBefore(set: ChangeSet<object>): Values | undefined {
  if (set.type === ChangeSetType.CREATE) return undefined
  const snapshot = deletions.has(set.type) ? snapshotOf(set.entity) : (set.originalEntity as Record<string, unknown> | undefined)
  return { snapshot: withVersion(set, snapshot) }
}

/** The ORM's memory of a row leaves the version out once it has been raised. */
function withVersion({ entity, meta }: ChangeSet<object>, snapshot: Snapshot | undefined): Snapshot {
  const { versionProperty } = meta
  const version = versionProperty && (entity as Record<string, unknown>)[versionProperty]
  return version === undefined || version === null ? { ...snapshot } : { ...snapshot, [versionProperty as string]: version }
}

function isWritten({ set }: Pending): boolean {
  return deletions.has(set.type) ? snapshotOf(set.entity) === undefined : set.persisted
}

function hasUnknown({ set, before }: Pending, properties: readonly string[]): boolean {
  if (!before || !('snapshot' in before) || createdHere.has(set.entity)) return false
  const needed = deletions.has(set.type) ? properties : Object.keys(set.payload).filter(property => properties.includes(property))
  return needed.some(property => !(property in before.snapshot))
}
