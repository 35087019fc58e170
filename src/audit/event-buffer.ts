import type { Outbox, Statement } from '../orm/index.ts'
import { appendStatement, type EventDraft } from './append-events.ts'
import { changedPaths } from './changed-paths.ts'
import type { Seal } from './personal.ts'
import type { RecordedFields } from './recorded-fields.ts'

/** Values by column, each as the JSON text that the log keeps. */
export type Texts = Readonly<Record<string, string>>

/** What one flush did to one row: without `before` it was created, without `after` deleted; an update has what it touched. */
export interface Change {
  readonly entity: string
  readonly id: string
  readonly log: string
  readonly decision: string
  readonly causation: string
  readonly fields: RecordedFields
  readonly versionColumn: string | undefined
  readonly schemaVersion: number
  /** For what it tells of a person. */
  readonly seal: Seal | undefined
  readonly before: Texts | undefined
  readonly after: Texts | undefined
}

/**
 * The events that a transaction has not written yet. Several changes of one row become one event: created and updated is created, created
 * and deleted is nothing, updated twice is from the first to the last.
 */
export class EventBuffer implements Outbox {
  readonly #changes = new Map<string, Change>()
  #drafts: EventDraft[] = []
  /** Looks at the flush that is running, for what it has written so far. */
  pull: (() => void) | undefined
  /** Gives the next changes of the running flush that are certain before they are written; each is given once. */
  foresee: (() => readonly Change[]) | undefined

  record(change: Change): void {
    const key = `${change.entity}:${change.id}`
    const earlier = this.#changes.get(key)
    const merged = earlier ? merge(earlier, change) : change
    // What is merged stands where the row was changed last, after what that change may have been caused by.
    this.#changes.delete(key)
    if (merged) this.#changes.set(key, merged)
  }

  /** An event that is no change of a row. Changes so far come before it. */
  add(draft: EventDraft): void {
    this.#settle()
    this.#drafts.push(draft)
  }

  take(): Statement | undefined {
    this.pull?.()
    this.#settle()
    return this.#leave()
  }

  ahead(): Statement | undefined {
    const changes = this.foresee?.() ?? []
    if (changes.length === 0) return undefined
    for (const change of changes) this.record(change)
    this.#settle()
    return this.#leave()
  }

  forget(): void {
    this.#changes.clear()
    this.#drafts = []
  }

  #leave(): Statement | undefined {
    const drafts = this.#drafts
    this.#drafts = []
    return drafts.length > 0 ? appendStatement(drafts) : undefined
  }

  #settle(): void {
    for (const change of this.#changes.values()) {
      const draft = draftOf(change)
      if (draft) this.#drafts.push(draft)
    }
    this.#changes.clear()
  }
}

function merge(earlier: Change, later: Change): Change | undefined {
  if (!earlier.before && !later.after) return undefined
  return {
    ...later,
    seal: later.seal ?? earlier.seal,
    before: earlier.before && { ...later.before, ...earlier.before },
    after: later.after && (later.before ? { ...earlier.after, ...later.after } : replaced(earlier.before, later.after)),
  }
}

/** A row that was deleted and created again: what the new one doesn't say is null now. */
function replaced(before: Texts | undefined, after: Texts): Texts {
  return { ...Object.fromEntries(Object.keys(before ?? {}).map(column => [column, 'null'])), ...after }
}

function draftOf(change: Change): EventDraft | undefined {
  const { entity, id, log, decision, causation, versionColumn, before, after } = change
  const version = versionColumn && (after ?? before)![versionColumn]
  const common = {
    log,
    kind: 'activity' as const,
    entity,
    entityId: id,
    ...(decision && { decision }),
    ...(causation && { causation }),
    ...(version && { entityVersion: Number(version) }),
    ...(change.schemaVersion > 1 && { schemaVersion: change.schemaVersion }),
  }
  if (!before) return { ...common, type: `${entity}.created`, after: told(change, after!, Object.keys(after!)) }
  if (!after) return { ...common, type: `${entity}.deleted`, before: told(change, before, Object.keys(before)) }
  const changed = Object.keys(after).filter(column => (before[column] ?? 'null') !== after[column])
  if (changed.length === 0) return undefined
  return {
    ...common,
    type: `${entity}.updated`,
    changed: changed.flatMap(column => (hasPaths(change, column) ? changedPaths(column, before[column], after[column]) : column)),
    before: told(change, before, changed),
    after: told(change, after, changed),
  }
}

/** The keys in a document about a person tell of that person too. */
function hasPaths({ fields }: Change, column: string): boolean {
  const { isDocument, isPersonal } = fields.get(column)!
  return isDocument && !isPersonal
}

function told({ fields, seal }: Change, values: Texts, columns: readonly string[]): string {
  let text = ''
  for (const column of columns) {
    const { isSecret, isPersonal } = fields.get(column)!
    if (isSecret) continue
    const value = values[column] ?? 'null'
    text += `${text ? ',' : ''}"${column}":${isPersonal ? seal!(value) : value}`
  }
  return `{${text}}`
}
