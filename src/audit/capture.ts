import {
  ChangeSetType,
  type EntityMetadata,
  EventType,
  type FlushEventArgs,
  type MetadataStorage,
  type TransactionEventArgs,
  type UnitOfWork,
} from '@mikro-orm/core'
import { CompiledQuery, type Transaction } from 'kysely'
import type { Keyring } from '../kernel/keyring.ts'
import { oncePer } from '../kernel/once-per.ts'
import { type FlushAwareEventManager, type LastSubscriber, type ScopedEntityManager, type Unsent, unsentOf } from '../orm/index.ts'
import { KeyringMissingError, ValueUnknownError } from './audit.errors.ts'
import { auditedTableOf } from './audited-table.ts'
import { countOn } from './count-on.ts'
import { leaveOutNulls } from './leave-out.ts'
import type { Change, EventBuffer, Foreseen } from './event-buffer.ts'
import {
  createdHere,
  deletions,
  foreseen,
  hasUnknown,
  idIn,
  idOf,
  inWritingOrder,
  isForeseeable,
  isWritten,
  leavesValueToDatabase,
  outcomeOf,
  type Pending,
  snapshotBefore,
  tellsOfPerson,
  textsAfter,
  textsBefore,
} from './pending-change.ts'
import { type KeyRow, sealsFor } from './personal.ts'
import { recordedFieldsOf, type Snapshot } from './recorded-fields.ts'
import { bufferOf, causationVariable, decisionVariable } from './story.ts'

/**
 * The write side of the log. It reads the change sets of each flush once, when every other subscriber has had its word and nothing has been
 * written, and again when they have been; what changed goes into the transaction's outbox, which leaves with COMMIT.
 *
 *   implicit   onFlush · begin · afterTransactionStart → begin    beforeTransactionCommit → end · commit
 *   explicit   onFlush → begin                                    afterFlush → end
 *
 * Between begin and end the unit of work vouches for its statements, and the sentinel is silent. A flush whose transaction is its own and
 * whose outcome is certain tells what it will have done while the server still does it: if it fails, the transaction goes with it.
 */
export class AuditCapture implements LastSubscriber {
  readonly #flushes = new WeakMap<UnitOfWork, Flush>()
  readonly comesLast = true
  readonly keyring: (() => Promise<Keyring>) | undefined

  /** The keyring is for what entities tell of people. */
  constructor(keyring?: () => Promise<Keyring>) {
    this.keyring = keyring
  }

  async onFlush({ em, uow }: FlushEventArgs): Promise<void> {
    leaveOutNulls(uow.getChangeSets())
    countOn(uow.getChangeSets())
    const flush = new Flush(em as ScopedEntityManager, uow, this.keyring)
    if (flush.isEmpty) return
    this.#flushes.set(uow, flush)
    const transaction = em.getTransactionContext<object>()
    if (transaction) await flush.begin(transaction, false)
  }

  async afterTransactionStart({ uow, transaction }: TransactionEventArgs): Promise<void> {
    await this.#flushes.get(uow!)?.begin(transaction, true)
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

/** The keys that this EntityManager's database was opened with. */
export function keyringOf(em: ScopedEntityManager): AuditCapture['keyring'] {
  for (const subscriber of (em.getEventManager() as FlushAwareEventManager).last)
    if (subscriber instanceof AuditCapture) return subscriber.keyring
  return undefined
}

/** One flush, from its change sets to what they did. */
class Flush {
  readonly #em: ScopedEntityManager
  readonly #uow: UnitOfWork
  readonly #keyring: AuditCapture['keyring']
  #pending: Pending[]
  #unsent: Unsent | undefined

  constructor(em: ScopedEntityManager, uow: UnitOfWork, keyring: AuditCapture['keyring']) {
    this.#em = em
    this.#uow = uow
    this.#keyring = keyring
    this.#pending = uow.getChangeSets().flatMap(set => {
      const table = auditedTableOf(set.meta)
      return table ? [{ set, table, fields: recordedFieldsOf(set.meta), snapshot: snapshotBefore(set) }] : []
    })
  }

  get isEmpty(): boolean {
    return this.#pending.length === 0
  }

  /**
   * A flush that leaves a value to the database (`raw`, a type that converts in SQL) vouches for nothing: what it will be, only the sentinel
   * sees. Nor does one that comes while another has not ended.
   */
  async begin(transaction: object, isOwn: boolean): Promise<void> {
    if (this.#unsent || this.#pending.some(leavesValueToDatabase)) return
    const unsent = await unsentOf(transaction)
    await this.#lookUpUnknown(transaction, unsent.hasRewritten || [...unsent.writers].some(writer => !this.#em.remembersFor(writer)))
    unsent.writers.add(this.#em)
    await this.#takeSeals(transaction)
    const buffer = bufferOf(unsent)
    const acts = actsOf(this.#pending, this.#em)
    const ends = () => {
      try {
        this.#collect(buffer, unsent)
      } catch (error) {
        buffer.fail(error)
        throw error
      } finally {
        buffer.pull = buffer.foresee = undefined
      }
    }
    if (!unsent.beginUnit(ends, acts)) return
    this.#unsent = unsent
    buffer.pull = () => this.#collect(buffer, unsent)
    if (!acts && (isOwn || unsent.endsWithFlushOf === this.#em) && this.#isCertain()) {
      inWritingOrder(this.#pending)
      const isOnlyInserted = this.#isOnlyInserted()
      if (isOwn || isOnlyInserted) buffer.foresee = () => this.#foresee(unsent, isOnlyInserted)
    }
  }

  /** Whether nothing can come between what the change sets say and what will be written: no hook, no collection, no value of the database. */
  #isCertain(): boolean {
    const metas = new Set(this.#pending.map(({ set }) => set.meta))
    return (
      this.#uow.getCollectionUpdates().length === 0 &&
      this.#uow.getExtraUpdates().size === 0 &&
      [...metas].every(meta => !this.#isHooked(meta)) &&
      this.#pending.every(isForeseeable)
    )
  }

  /** Whether somebody has a word in how rows of a class are written, and may change them. */
  #isHooked(meta: EntityMetadata): boolean {
    const events = this.#em.getEventManager()
    return hooks.some(hook => events.hasListeners(hook, meta))
  }

  /**
   * Rows of one class, in statements of a batch each: they can only fail as statements. What is updated or deleted may turn out to be gone, and
   * the transaction with it.
   */
  #isOnlyInserted(): boolean {
    const [first] = this.#pending
    return (
      this.#uow.getChangeSets().length === this.#pending.length &&
      this.#pending.every(
        ({ set: { type, meta, schema, tptChangeSets } }) =>
          type === ChangeSetType.CREATE && meta.class === first!.set.meta.class && schema === first!.set.schema && !tptChangeSets,
      ) &&
      this.#em.endsUnheard
    )
  }

  /** Of entities that point at each other the ORM inserts one without its reference and updates it later: these wait until it has. */
  #foresee(unsent: Unsent, isOnlyInserted: boolean): Foreseen {
    if (this.#uow.getExtraUpdates().size > 0) return { changes: [], isLast: false }
    // As many as the ORM sends in a batch, so that each batch is told of while the server writes it.
    const { config } = this.#em
    const next = this.#pending.splice(0, config.get('useBatchInserts', true) ? config.get('batchSize') : 1)
    const changes = next.map(pending => this.#changeOf(pending, unsent, foreseen(pending)))
    return { changes, isLast: isOnlyInserted && this.#pending.length === 0 }
  }

  end(): void {
    this.#unsent?.endUnit()
  }

  /** Whatever has been written by now; the rest stays pending. A flush that failed half way has written half. */
  #collect(buffer: EventBuffer, unsent: Unsent): void {
    const [written, rest] = [this.#pending.filter(isWritten), this.#pending.filter(pending => !isWritten(pending))]
    inWritingOrder(written)
    // When the flush began none of them did; a hook may have put one there since.
    const unknown = written.find(leavesValueToDatabase)
    if (unknown) throw new ValueUnknownError(unknown.table.entity)
    // All of them or none: whoever asks again must not find that the rest is everything.
    const changes = written.map(pending => this.#changeOf(pending, unsent, outcomeOf(pending)))
    this.#pending = rest
    for (const change of changes) buffer.record(change)
  }

  #changeOf(pending: Pending, unsent: Unsent, outcome: Snapshot): Change {
    const { set, table, fields } = pending
    if (set.type === ChangeSetType.CREATE) createdHere.add(set.entity)
    return {
      entity: table.entity,
      id: idOf(set),
      log: this.#logOf(pending)!,
      decision: unsent.get(decisionVariable),
      causation: unsent.get(causationVariable),
      fields,
      versionField: table.versionColumn ? fields.byColumn.get(table.versionColumn) : undefined,
      schemaVersion: table.past.length + 1,
      seal: pending.seal,
      before: set.type === ChangeSetType.CREATE ? undefined : textsBefore(pending),
      after: deletions.has(set.type) ? undefined : textsAfter(pending, outcome),
    }
  }

  /** Whose log it is: the entity knows, or what was looked up, or the scope. */
  #logOf(pending: Pending): string | undefined {
    const { table } = pending
    const known = idIn(pending, table.logColumn)
    if (known) return known
    const scope = this.#em.boundScope
    return scope?.kind === 'tenant' && table.logColumn === 'tenant_id' ? scope.tenantId : undefined
  }

  /** Of the rows that tell something of a person; most flushes have none. */
  async #takeSeals(transaction: object): Promise<void> {
    const telling = this.#pending.filter(
      pending => tellsOfPerson(pending) || (pending.table.personal.length > 0 && this.#isHooked(pending.set.meta)),
    )
    if (telling.length === 0) return
    if (!this.#keyring) throw new KeyringMissingError(telling[0]!.table.entity)
    const toldBy = (pending: Pending) => ({
      log: this.#logOf(pending)!,
      person: idIn(pending, pending.table.personColumn) ?? idOf(pending.set),
    })
    const sealFor = await sealsFor(telling.map(toldBy), await this.#keyring(), async (sql, parameters) => {
      const { rows } = await (transaction as Transaction<unknown>).executeQuery<KeyRow>(CompiledQuery.raw(sql, parameters))
      return rows
    })
    for (const pending of telling) pending.seal = sealFor(toldBy(pending))
  }

  /**
   * A reference that was updated without being loaded, an entity loaded in part, or one that the ORM writes as a whole although it believes
   * that it knows it, which would undo what others wrote meanwhile; and all of them where the transaction has changed rows behind this
   * EntityManager's back: the values from before are unknown, so they are read under the row's lock. Most flushes have none.
   */
  async #lookUpUnknown(transaction: object, isBehind: boolean): Promise<void> {
    const unknown = this.#pending.filter(
      pending => this.#logOf(pending) === undefined || hasUnknown(pending) || (isBehind && pending.set.type !== ChangeSetType.CREATE),
    )
    for (const [tableName, ofTable] of Map.groupBy(unknown, ({ set }) => set.meta.tableName)) {
      const ids = ofTable.map(({ set }) => idOf(set))
      const rows = await this.#em
        .getConnection()
        .execute<{ id: string; texts: Record<string, string> }[]>(
          `select t.id, (select json_object_agg(key, value::text) from jsonb_each(daybook_told(t))) as texts from "${tableName}" t where t.id in (${ids.map(() => '?').join(', ')}) for update`,
          ids,
          'all',
          transaction,
        )
      const found = new Map(rows.map(({ id, texts }) => [id, texts]))
      for (const pending of ofTable) {
        const texts = found.get(idOf(pending.set))
        if (texts) pending.lookedUp = texts
      }
    }
  }
}

const hooks = [
  EventType.beforeCreate,
  EventType.afterCreate,
  EventType.beforeUpdate,
  EventType.afterUpdate,
  EventType.beforeDelete,
  EventType.afterDelete,
]

/** Which of a flush's statements write other rows as well, of which the sentinel will tell at once. */
function actsOf(pending: readonly Pending[], em: ScopedEntityManager): RegExp | undefined {
  if (pending.some(({ set }) => writesElsewhere(set.meta.root))) return /^/
  return pending.some(({ set }) => deletions.has(set.type) && actedUpon(em.getMetadata()).has(set.meta.root)) ? /^delete/i : undefined
}

/** Whether a trigger that the entity declares writes rows, and doesn't only look or refuse. */
const writesElsewhere = oncePer((meta: EntityMetadata) =>
  meta.triggers.some(({ expression = '' }) => writing.test(/\$\$.*\$\$/s.exec(expression)?.[0] ?? '')),
)

const writing = /\b(insert into|update "?\w+"?(\s+\w+)? set|delete from)\s/i

/** What loses or changes rows that point at it when its own are deleted: their foreign keys cascade, or are set to null. */
const actedUpon = oncePer((metadata: MetadataStorage): ReadonlySet<EntityMetadata | undefined> => {
  const relations = [...metadata.getAll().values()].flatMap(meta => meta.relations)
  const acting = relations.filter(({ deleteRule = 'cascade' }) => !['no action', 'restrict'].includes(deleteRule))
  return new Set(acting.map(({ targetMeta }) => targetMeta?.root))
})
