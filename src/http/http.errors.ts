import type { TLocalizedValidationError } from 'typebox/error'
import { DaybookError } from '../kernel/error.ts'

export class NotMountedError extends DaybookError {
  readonly code = 'http.not_mounted'

  constructor() {
    super('This route is not below Daybook. Register `daybookRequests` in the context that the route is added to, and wait for it.')
  }
}

export class CredentialRequiredError extends DaybookError {
  readonly code = 'http.unauthenticated'

  constructor() {
    super('This needs a signed-in person or an API key. POST /auth/sign-in, or send `Authorization: Bearer dbk_…`.')
  }
}

export class CredentialRefusedError extends DaybookError {
  readonly code = 'http.credential_refused'

  constructor() {
    super('The session or key that was presented is unknown, expired or revoked. Sign in again, or use another key.')
  }
}

export class SignInRefusedError extends DaybookError {
  readonly code = 'http.sign_in_refused'

  constructor() {
    super('The e-mail address and the password don’t open an account. After several failures an account rests for a while.')
  }
}

export class PersonRequiredError extends DaybookError {
  readonly code = 'http.person_required'

  constructor() {
    super('This concerns a signed-in person, and an API key isn’t one.')
  }
}

export class CrossSiteRequestError extends DaybookError {
  readonly code = 'http.cross_site'

  constructor() {
    super(
      'The request comes from another site, or doesn’t say from where. Send it from the same origin, or as application/json from a program.',
    )
  }
}

export interface InvalidPart {
  /** A JSON pointer as a fragment, `#/organization/name`. */
  readonly pointer: string
  readonly detail: string
  readonly in: 'body' | 'query' | 'path' | 'headers'
  /** What the validator found, for those who say it in another language; it isn't part of the answer. */
  readonly schemaError?: TLocalizedValidationError
}

export class RequestInvalidError extends DaybookError {
  readonly code = 'http.invalid_request'
  readonly errors: readonly InvalidPart[]

  constructor(errors: readonly InvalidPart[]) {
    super('The request isn’t as this route expects it. `errors` points at each place.')
    this.errors = errors
  }
}

export class TokenRefusedError extends DaybookError {
  readonly code = 'http.token_refused'

  constructor() {
    super('The token is unknown, expired or used. Ask for a new one.')
  }
}

export class PasswordWrongError extends DaybookError {
  readonly code = 'http.password_wrong'

  constructor() {
    super('The current password isn’t right, so the password was not changed.')
  }
}

/** The same for what doesn't exist and for what belongs to somebody else. */
export class ResourceNotFoundError extends DaybookError {
  readonly code = 'http.not_found'

  constructor(thing: string) {
    super(`There is no such ${thing} here.`, { thing })
  }
}

export class NoActiveOrganizationError extends DaybookError {
  readonly code = 'http.no_active_organization'

  constructor() {
    super('This session has no active organization. Choose one with POST /me/organization, or name it in the path.')
  }
}

export class RouteNotFoundError extends DaybookError {
  readonly code = 'http.route_not_found'

  constructor() {
    super('No route answers to this path.')
  }
}

export class MethodNotAllowedError extends DaybookError {
  readonly code = 'http.method_not_allowed'
  readonly allowed: readonly string[]

  constructor(allowed: readonly string[]) {
    super(`This path answers to ${allowed.join(', ')}.`, { allowed })
    this.allowed = allowed
  }
}

export class TooManyRequestsError extends DaybookError {
  readonly code = 'http.too_many_requests'

  readonly seconds: number

  constructor(seconds: number, limit: string) {
    super(`Too many requests. Try again in ${seconds} s; RateLimit-Policy says what is counted.`, { seconds, limit })
    this.seconds = seconds
  }
}

export class TooManyListenersError extends DaybookError {
  readonly code = 'http.too_many_listeners'
  readonly seconds = 10

  constructor(limit: number) {
    super(`${limit} listen to the events of this organization already. End a connection that nobody needs, or try again later.`, { limit })
  }
}

export class TenantBusyError extends DaybookError {
  readonly code = 'http.tenant_busy'
  readonly seconds = 5

  constructor() {
    super(
      'As much is under way for this organization, or of this kind, as may be at once, and none of it ended in time. Nothing was changed; try again in 5 s.',
    )
  }
}

export class HostBusyError extends DaybookError {
  readonly code = 'http.busy'

  constructor(reason: string) {
    super('The host has more to do than it can. Nothing was changed; try again in a moment.', { reason })
  }
}

/** Nobody's failure: people close pages, and connections break. */
export class RequestAbandonedError extends DaybookError {
  readonly code = 'http.abandoned'

  constructor(options?: ErrorOptions) {
    super('Whoever sent this has gone before all of it was here. Nothing of it was kept; send it again.', {}, options)
  }
}

export class CursorRefusedError extends DaybookError {
  readonly code = 'http.cursor_refused'

  constructor() {
    super('This cursor is damaged, or belongs to another list. Begin without one.')
  }
}

export class ConditionRequiredError extends DaybookError {
  readonly code = 'http.condition_required'

  constructor() {
    super('Say which state you have seen: send the `ETag` of your last answer as `If-Match`, or `*` if it doesn’t matter.')
  }
}

export class ConditionFailedError extends DaybookError {
  readonly code = 'http.condition_failed'

  constructor() {
    super('Somebody else changed it meanwhile. Read it again, then repeat the change.')
  }
}

export class ReferenceUnknownError extends DaybookError {
  readonly code = 'http.reference_unknown'

  constructor(thing: string) {
    super(`The request refers to a ${thing} that isn't here.`, { thing })
  }
}
