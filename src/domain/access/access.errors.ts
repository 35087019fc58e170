import { DaybookError } from '../../kernel/error.ts'

export class PermissionDeniedError extends DaybookError {
  readonly code = 'access.denied'

  constructor(permission: string, because: string) {
    super(`This needs the permission ${permission}: ${because}. Ask somebody who manages roles in the organization.`, { permission })
  }
}

export class PermissionUnknownError extends DaybookError {
  readonly code = 'access.permission_unknown'

  constructor(keys: readonly string[]) {
    super(`There is no permission ${keys.join(', ')}. The catalogue lists them as resource:action.`, { keys })
  }
}

export class GrantExceedsOwnError extends DaybookError {
  readonly code = 'access.grant_exceeds_own'

  constructor(missing: readonly string[]) {
    super(`Nobody can grant what they may not do themselves, or for longer than they may: ${missing.join(', ')}.`, { missing })
  }
}

export class BuiltinRoleImmutableError extends DaybookError {
  readonly code = 'access.builtin_role_immutable'

  constructor(key: string) {
    super(`The role ${key} is built in and stays as it is. Make a role of your own that inherits from it.`, { key })
  }
}

export class RoleCycleError extends DaybookError {
  readonly code = 'access.role_cycle'

  constructor(role: string, parent: string) {
    super(`The role ${role} can't inherit from ${parent}, because ${parent} already inherits from it.`, { role, parent })
  }
}

export class RoleInUseError extends DaybookError {
  readonly code = 'access.role_in_use'

  constructor(role: string, users: number) {
    super(`The role ${role} is held, inherited or offered in ${users} places. Give those another role first.`, { role, users })
  }
}

export class RoleKeyTakenError extends DaybookError {
  readonly code = 'access.role_key_taken'

  constructor(key: string) {
    super(`There is a role ${key} already. Choose another key.`, { key })
  }
}

export class LastOwnerError extends DaybookError {
  readonly code = 'access.last_owner'

  constructor() {
    super('An organization keeps at least one active owner. Make somebody else an owner first.')
  }
}

export class AlreadyMemberError extends DaybookError {
  readonly code = 'access.already_member'

  constructor() {
    super('This person is a member of the organization already.')
  }
}

export class EmailTakenError extends DaybookError {
  readonly code = 'access.email_taken'

  constructor(options?: ErrorOptions) {
    super('There is an account with this address. Sign in with it, or reset its password.', {}, options)
  }
}

/** The same for an unknown, used, withdrawn, expired, mangled or somebody else's token: it tells nothing about invitations. */
export class InvitationInvalidError extends DaybookError {
  readonly code = 'access.invitation_invalid'

  constructor() {
    super('This invitation is not valid, or not any more. Ask whoever sent it for a new one.')
  }
}

export class InvitationStateError extends DaybookError {
  readonly code = 'access.invitation_state'

  constructor(status: string) {
    super(`This invitation is ${status.toLowerCase()}, so nothing can be changed about it.`, { status })
  }
}

export class ApiKeyStateError extends DaybookError {
  readonly code = 'access.api_key_state'

  constructor(state: string) {
    super(`This API key is ${state}. Issue a new one.`, { state })
  }
}

export class MembershipLeftError extends DaybookError {
  readonly code = 'access.membership_left'

  constructor() {
    super('Whoever left an organization comes back only by themselves. Invite them again.')
  }
}
