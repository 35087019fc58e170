/**
 * Access: who belongs to an organization, and what they may do there. A membership has one role; roles inherit, and only ever add; further
 * roles and direct grants may expire or hold for one thing; a denial beats them all. Programs come with API keys.
 */
export {
  AlreadyMemberError,
  ApiKeyStateError,
  BuiltinRoleImmutableError,
  EmailTakenError,
  GrantExceedsOwnError,
  InvitationInvalidError,
  InvitationStateError,
  LastOwnerError,
  MembershipLeftError,
  PermissionDeniedError,
  PermissionUnknownError,
  RoleCycleError,
  RoleInUseError,
  RoleKeyTakenError,
} from './access.errors.ts'
export { type Acceptance, acceptInvitation, rejectInvitation } from './answer-invitation.ts'
export { ApiKey, type ApiKeyEnvironment, apiKeyEnvironments, ApiKeySchema } from './api-key.entity.ts'
export {
  type ApiKeyInput,
  type AuthenticatedKey,
  authenticateApiKey,
  type IssuedApiKey,
  issueApiKey,
  revokeApiKey,
  rotateApiKey,
} from './api-keys.ts'
export { type BuiltinRole, builtinRoles } from './builtin-roles.ts'
export { ensureBuiltinRoles } from './ensure-builtin-roles.ts'
export { grantPermission, grantRole, revokePermission, revokeRole, type Until } from './grants.ts'
export { Invitation, InvitationSchema, type InvitationStatus, invitationStatuses } from './invitation.entity.ts'
export { cancelInvitation, expireInvitations, inviteMember } from './invitations.ts'
export { Membership, MembershipSchema, type MembershipStatus, membershipStatuses } from './membership.entity.ts'
export { changeRole, reactivateMember, removeMember, suspendMember } from './memberships.ts'
export { type PermissionKey, permissionKeys, syncPermissionCatalogue } from './permission-catalogue.ts'
export { type Explanation, type GrantPath } from './permission-decision.ts'
export { Permission, type PermissionAction, permissionActions, PermissionSchema } from './permission.entity.ts'
export { assertCan, can, explain, getUserPermissions } from './permissions.ts'
export { type Registered, registerOrganization, type Registration } from './register-organization.ts'
export { type PermissionCondition, Role, RolePermission, RolePermissionSchema, RoleSchema } from './role.entity.ts'
export { createRole, deleteRole, inherit, permissionKeysOf, type RoleChanges, type RoleInput, updateRole } from './roles.ts'
export { type PermissionEffect, permissionEffects, UserPermission, UserPermissionSchema } from './user-permission.entity.ts'
export { UserRole, UserRoleSchema } from './user-role.entity.ts'
