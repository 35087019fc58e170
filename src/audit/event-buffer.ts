import type { Outbox, Statement } from '../orm/index.ts'
import { appendStatement, type EventDraft } from './append-events.ts'
import { changedPaths } from './changed-paths.ts'
import type { RecordedField, Snapshot } from './recorded-fields.ts'

/** A row's values before or after: as the ORM remembers them, or by column as the log will write them. */
export type Values = { readonly snapshot: Snapshot } | { readonly texts: Readonly<Record<string, string>> }

/** What one flush did to one row. */
export interface Change {
  readonly entity: string
  readonly id: string
  readonly log: string
  readonly decision: string
  readonly fields: readonly RecordedField[]
  readonly versionProperty: string | undefined
  readonly before: Values | undefined
  readonly after: Values | undefined
  /** The properties that may differ; undefined for all of them. */
  readonly touched: ReadonlySet<string> | undefined
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
    const drafts = this.#drafts
    this.#drafts = []
    return drafts.length > 0 ? appendStatement(drafts) : undefined
  }

  forget(): void {
    this.#changes.clear()
    this.#drafts = []
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
  const touched = earlier.touched && later.touched ? new Set([...earlier.touched, ...later.touched]) : undefined
  return { ...later, before: earlier.before && beforeBoth(earlier, later), touched }
}

/** The first one's values; where the first knew only what it touched, the later one's for the rest. */
function beforeBoth(earlier: Change, later: Change): Values {
  const texts: Record<string, string> = {}
  for (const field of later.fields) {
    const text = textOf(earlier.before!, field) ?? (later.before && textOf(later.before, field))
    if (text !== undefined) texts[field.column] = text
  }
  return { texts }
}

function draftOf(change: Change): EventDraft | undefined {
  const { entity, id, log, decision, before, after } = change
  const version = after ?? before!
  const common = {
    log,
    kind: 'activity' as const,
    entity,
    entityId: id,
    ...(decision && { decision }),
    ...versionIn(change, version),
  }
  if (!before) return { ...common, type: `${entity}.created`, after: told(change.fields, after!) }
  if (!after) return { ...common, type: `${entity}.deleted`, before: told(change.fields, before) }
  const changed = change.fields.filter(
    field => (!change.touched || change.touched.has(field.property)) && textOf(before, field) !== textOf(after, field),
  )
  if (changed.length === 0) return undefined
  return {
    ...common,
    type: `${entity}.updated`,
    changed: changed.flatMap(field =>
      field.isDocument ? changedPaths(field.column, textOf(before, field), textOf(after, field)) : field.column,
    ),
    before: told(changed, before, true),
    after: told(changed, after, true),
  }
}

function versionIn({ versionProperty, fields }: Change, values: Values): { entityVersion?: number } {
  if (!versionProperty) return {}
  const field = fields.find(({ property }) => property === versionProperty)
  const version = field && textOf(values, field)
  return version ? { entityVersion: Number(version) } : {}
}

function told(fields: readonly RecordedField[], values: Values, nulls = false): string {
  let text = ''
  for (const field of fields) {
    if (field.isSecret) continue
    const value = textOf(values, field) ?? 'null'
    if (nulls || value !== 'null') text += `${text ? ',' : ''}"${field.column}":${value}`
  }
  return `{${text}}`
}

function textOf(values: Values, field: RecordedField): string | undefined {
  if ('texts' in values) return values.texts[field.column]
  return field.property in values.snapshot ? field.toJson(values.snapshot[field.property]) : undefined
}
