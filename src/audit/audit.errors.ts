import { DaybookError } from '../kernel/error.ts'

export class DecisionUnknownError extends DaybookError {
  readonly code = 'audit.decision_unknown'

  constructor(id: string) {
    super(`There is no decision ${id} in this log.`, { id })
  }
}

export class DecisionSettledError extends DaybookError {
  readonly code = 'audit.decision_settled'

  constructor(id: string, how: string) {
    super(`Decision ${id} doesn’t wait for approval (${how}). Override it with a decision of your own.`, { id, how })
  }
}

export class OwnDecisionError extends DaybookError {
  readonly code = 'audit.own_decision'

  constructor(id: string) {
    super(`Decision ${id} was proposed by the same actor. Somebody else has to approve or reject it.`, { id })
  }
}

export class SubjectUnknownError extends DaybookError {
  readonly code = 'audit.subject_unknown'

  constructor(entity: string) {
    super(`The log knows nothing of ${entity}, so no decision can be about one. Decide in a tenant’s scope, about an audited entity.`, {
      entity,
    })
  }
}

export class ValueUnknownError extends DaybookError {
  readonly code = 'audit.value_unknown'

  constructor(entity: string) {
    super(
      `A hook left a value of ${entity} to the database (raw), when it was too late for the log to learn it. Leave it to the database before the flush, or give the value itself.`,
      { entity },
    )
  }
}

export class KeyringMissingError extends DaybookError {
  readonly code = 'audit.keyring_missing'

  constructor(entity: string) {
    super(
      `${entity} tells something of people, or has a secret, that is kept sealed, but there is no master key. Set DAYBOOK_MASTER_KEY to the output of \`openssl rand -base64 32\`.`,
      { entity },
    )
  }
}

export class PersonalTypeError extends DaybookError {
  readonly code = 'model.personal_type'

  constructor(entity: string, column: string, type: string) {
    super(
      `${entity}.${column} is declared personal and is ${type}. Sealed values are text, so only text and JSON columns can be personal.`,
      {
        entity,
        column,
        type,
      },
    )
  }
}

export class PropertyNotStoredError extends DaybookError {
  readonly code = 'model.property_not_stored'

  constructor(entity: string, property: string) {
    super(`${entity}.${property} is named in \`audit\`, and no column of its table holds it. Name a property that is stored.`, {
      entity,
      property,
    })
  }
}

export class VersionTypeError extends DaybookError {
  readonly code = 'model.version_type'

  constructor(entity: string, column: string, type: string) {
    super(
      `${entity}.${column} is its version and is ${type}. The log counts versions, so a version is an integer: declare it as p.integer().version().`,
      { entity, column, type },
    )
  }
}

export class OwnerTypeError extends DaybookError {
  readonly code = 'model.owner_type'

  constructor(entity: string, column: string, type: string) {
    super(`${entity}.${column} says whose log or which person it is, and is ${type}. Both are known by an id, so it is a uuid.`, {
      entity,
      column,
      type,
    })
  }
}

export class HiddenPastError extends DaybookError {
  readonly code = 'model.hidden_past'

  constructor(entity: string, policy: string) {
    super(
      `The restriction "${policy}" hides rows of ${entity}, and the log would tell their past to everybody who may read it. Say whose each row is with privateTo, ` +
        'restrict what may be written (`command`), or don’t record the entity (`audit: false`).',
      { entity, policy },
    )
  }
}

export class PersonKeyLockedError extends DaybookError {
  readonly code = 'audit.person_key_locked'

  constructor({ log, person }: { readonly log: string; readonly person: string }, options?: ErrorOptions) {
    super(
      `What log ${log} tells of person ${person} is sealed by a master key that DAYBOOK_MASTER_KEY doesn’t hold, or was altered. Add the earlier key behind the new one, separated by a comma; what was altered comes back from a backup alone (audit_person_key).`,
      { log, person },
      options,
    )
  }
}

export class ValueErasedError extends DaybookError {
  readonly code = 'history.value_erased'

  constructor(what: string, properties: readonly string[]) {
    super(`${what} can’t be done: ${properties.join(', ')} told of a person who has been erased from the log.`, { properties })
  }
}

export class SecretLockedError extends DaybookError {
  readonly code = 'secret.locked'

  constructor(entity: string, id: string) {
    super(`The secret of ${entity} ${id} was sealed by a master key that isn't given any more. Add it to DAYBOOK_MASTER_KEY.`, {
      entity,
      id,
    })
  }
}
