import type { Ahead, Outbox, Statement } from '../orm/index.ts'
import { appendStatement, type EventDraft } from './append-events.ts'
import { changedPaths } from './changed-paths.ts'
import type { Seal } from './personal.ts'
import type { RecordedField, RecordedFields } from './recorded-fields.ts'

/** Values by their fields' places, each as the JSON text that the log keeps; of an update those that it touched. */
export type Texts = readonly (string | undefined)[]

/** What one flush did to one row: without `before` it was created, without `after` deleted; an update has what it touched. */
export interface Change {
  readonly entity: string
  readonly id: string
  readonly log: string
  readonly decision: string
  readonly causation: string
  readonly fields: RecordedFields
  readonly versionField: RecordedField | undefined
  readonly schemaVersion: number
  /** For what it tells of a person. */
  readonly seal: Seal | undefined
  readonly before: Texts | undefined
  readonly after: Texts | undefined
}

export interface Foreseen {
  readonly changes: readonly Change[]
  /** They are the last that the transaction writes, in the statement that is being sent. */
  readonly isLast: boolean
}

/**
 * The events that a transaction has not written yet. Several changes of one row become one event: created and updated is created, created
 * and deleted is nothing, updated twice is from the first to the last.
 */
export class EventBuffer implements Outbox {
  readonly #changes = new Map<string, Change>()
  #drafts: EventDraft[] = []
  #written = 0
  #failure: { readonly because: unknown } | undefined
  /** Looks at the flush that is running, for what it has written so far. */
  pull: (() => void) | undefined
  /** Gives the next changes of the running flush that are certain before they are written; each is given once. */
  foresee: (() => Foreseen) | undefined

  get written(): number {
    return this.#written
  }

  isReadBy(text: string): boolean {
    return /\b(audit_event|activity_log|decision_log)\b/i.test(text)
  }

  record(change: Change): void {
    const key = `${change.entity}:${change.id}`
    const earlier = this.#changes.get(key)
    if (!earlier) return void this.#changes.set(key, change)
    if (!isOfOnePiece(earlier, change)) {
      this.#settle()
      return void this.#changes.set(key, change)
    }
    const merged = merge(earlier, change)
    // A row stands where it was created, before what points at it; otherwise where it was changed last, after what that may have been caused by.
    if (!merged || merged.before) this.#changes.delete(key)
    if (merged) this.#changes.set(key, merged)
  }

  /** An event that is no change of a row. Changes so far come before it. */
  add(draft: EventDraft): void {
    this.#settle()
    this.#drafts.push(draft)
  }

  /** What was written can't be told, so nothing of the transaction can be committed. */
  fail(because: unknown): void {
    this.#failure = { because }
  }

  take(): Statement | undefined {
    if (this.#failure) throw this.#failure.because
    this.pull?.()
    this.#settle()
    return this.#leave()
  }

  ahead(): Ahead | undefined {
    if (!this.foresee) return undefined
    const { changes, isLast } = this.foresee()
    if (this.#changes.size === 0) for (const change of changes) this.#draft(change)
    else {
      // Earlier flushes may have changed the same rows, and what they did is told first.
      for (const change of changes) this.record(change)
      if (!isLast) return undefined
      this.#settle()
    }
    const statement = this.#leave()
    return statement && { statement, isLast }
  }

  forget(): void {
    this.#failure = undefined
    this.#changes.clear()
    this.#drafts = []
  }

  #leave(): Statement | undefined {
    const drafts = this.#drafts
    this.#drafts = []
    this.#written += drafts.length
    return drafts.length > 0 ? appendStatement(drafts) : undefined
  }

  #settle(): void {
    for (const change of this.#changes.values()) this.#draft(change)
    this.#changes.clear()
  }

  #draft(change: Change): void {
    const draft = draftOf(change)
    if (draft) this.#drafts.push(draft)
  }
}

/**
 * Whether one event can tell both: because of the same decision and cause, of a row that has kept its class, and not before what the row
 * points at was there.
 */
function isOfOnePiece(earlier: Change, later: Change): boolean {
  return (
    earlier.decision === later.decision &&
    earlier.causation === later.causation &&
    earlier.fields === later.fields &&
    (earlier.before !== undefined ||
      !later.fields.all.some(({ isReference, place }) => isReference && (later.after?.[place] ?? 'null') !== 'null'))
  )
}

function merge(earlier: Change, later: Change): Change | undefined {
  if (!earlier.before && !later.after) return undefined
  return {
    ...later,
    seal: later.seal ?? earlier.seal,
    before: earlier.before && overlaid(later.before, earlier.before),
    after: later.after && (later.before ? overlaid(earlier.after, later.after) : replaced(earlier.before, later.after)),
  }
}

function overlaid(under: Texts | undefined, over: Texts): Texts {
  return over.map((text, place) => text ?? under?.[place])
}

/** A row that was deleted and created again: what the new one doesn't say is null now. */
function replaced(before: Texts | undefined, after: Texts): Texts {
  return after.map((text, place) => text ?? (before?.[place] === undefined ? undefined : 'null'))
}

function draftOf(change: Change): EventDraft | undefined {
  const { before, after, fields } = change
  if (!before) return drafted(change, 'created', undefined, undefined, told(change, after!))
  if (!after) return drafted(change, 'deleted', undefined, told(change, before), undefined)
  const isChanged = ({ place }: RecordedField) => after[place] !== undefined && (before[place] ?? 'null') !== after[place]
  const changed = fields.all.filter(isChanged)
  if (changed.length === 0) return undefined
  return drafted(change, 'updated', pathsOf(changed, before, after), told(change, before, changed), told(change, after, changed))
}

/** What is named besides the columns whose values are told: paths into documents, and columns whose values never are. */
function pathsOf(changed: readonly RecordedField[], before: Texts, after: Texts): string[] | undefined {
  if (!changed.some(field => field.isSecret || hasPaths(field))) return undefined
  return changed.flatMap(field => (hasPaths(field) ? changedPaths(field.column, before[field.place], after[field.place]) : field.column))
}

function drafted(
  change: Change,
  what: string,
  changed: readonly string[] | undefined,
  before: string | undefined,
  after: string | undefined,
): EventDraft {
  const version = change.versionField && (change.after ?? change.before)![change.versionField.place]
  return {
    log: change.log,
    kind: 'activity',
    type: `${change.entity}.${what}`,
    entity: change.entity,
    entityId: change.id,
    entityVersion: version ? Number(version) : undefined,
    schemaVersion: change.schemaVersion > 1 ? change.schemaVersion : undefined,
    id: undefined,
    decision: change.decision,
    causation: change.causation,
    changed,
    before,
    after,
  }
}

/** The keys in a document about a person tell of that person too. */
function hasPaths({ isDocument, isPersonal }: RecordedField): boolean {
  return isDocument && !isPersonal
}

/** In one piece: a text that grows by concatenation is a chain of small objects, thousands of them in a large flush. */
function told({ fields, seal }: Change, texts: Texts, only?: readonly RecordedField[]): string {
  const pieces: string[] = []
  for (const { place, key, isSecret, isPersonal } of only ?? fields.all) {
    const text = texts[place] ?? (only && 'null')
    if (isSecret || text === undefined) continue
    pieces.push(pieces.length === 0 ? '{' : ',', key, isPersonal ? seal!(text) : text)
  }
  return pieces.length === 0 ? '{}' : pieces.join('') + '}'
}
