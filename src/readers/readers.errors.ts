import { DaybookError } from '../kernel/error.ts'

export class EventUnknownError extends DaybookError {
  readonly code = 'history.event_unknown'

  constructor(id: string) {
    super(`There is no event ${id} in this log. It may belong to another organization, or its part of the log was archived.`, { id })
  }
}

export class MomentInvalidError extends DaybookError {
  readonly code = 'history.moment_invalid'

  constructor(given: string) {
    super(`"${given}" is no moment. Give a Date, an ISO 8601 instant such as 2026-11-01T00:00:00Z, or an event.`, { given })
  }
}

export class NothingThenError extends DaybookError {
  readonly code = 'history.nothing_then'

  constructor(instant: string) {
    super(`The log begins after ${instant}: nothing is known of what was before.`, { instant })
  }
}

export class NotAuditedError extends DaybookError {
  readonly code = 'history.not_audited'

  constructor(entity: string) {
    super(`The log knows nothing of ${entity}: its entity is declared with \`audit: false\`, or is no entity of this model.`, { entity })
  }
}

export class QuestionInvalidError extends DaybookError {
  readonly code = 'history.question_invalid'

  constructor(name: string, expected: string, given: unknown) {
    super(`The log can’t be asked with this ${name}: expected ${expected}, got ${JSON.stringify(given) ?? String(given)}.`, {
      name,
      expected,
      given: String(given),
    })
  }
}

export class CursorInvalidError extends DaybookError {
  readonly code = 'history.cursor_invalid'

  constructor() {
    super('The cursor is damaged, or belongs to another filter. Begin again without a cursor.')
  }
}

export class SchemaNamedError extends DaybookError {
  readonly code = 'history.schema_named'

  constructor(table: string) {
    super(`The table ${table} is named with its schema, which the view of the past doesn’t reach. Name it without its schema.`, { table })
  }
}

export class RevertConflictError extends DaybookError {
  readonly code = 'history.revert_conflict'

  /** What changed since, by which later events; and from where rows point at what would be removed. */
  constructor(event: string, properties: readonly string[], later: readonly string[], references: readonly string[]) {
    const what = [
      ...(properties.length > 0 ? [`${properties.join(', ')} changed since`] : []),
      ...(references.length > 0 ? [`${references.join(', ')} would go along, or point at nothing`] : []),
    ]
    super(
      `Event ${event} can’t be reverted without losing what came later: ${what.join('; ')}. Revert that first, or say \`force: true\`.`,
      { event, properties, later, references },
    )
  }
}

export class NotRevertibleError extends DaybookError {
  readonly code = 'history.not_revertible'

  constructor(event: string, why: string) {
    super(`Event ${event} can’t be reverted: ${why}.`, { event })
  }
}

export class NotRestorableError extends DaybookError {
  readonly code = 'history.not_restorable'

  constructor(entity: string, id: string, why: string) {
    super(`${entity} ${id} can’t be restored: ${why}.`, { entity, id })
  }
}
