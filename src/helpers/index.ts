/**
 * Helpers under the names that people know from the packages which Daybook takes the place of. Each is thin: what it does is the
 * business of an area or of the ORM, and docs/coming-from-prisma-or-drizzle.md says for each call what takes its place.
 */
export {
  cleanupExpiredSessions,
  cleanupSoftDeletedRecords,
  getUserPermissions,
  IdealCustomerProfile as ICP,
  Organization as Organisation,
  Organization as Workspace,
  User as users,
} from '../entities.ts'
export { createTenantClient, forTenant, type TenantClient, transactionHelpers, withTenant } from './at-hand.ts'
export { checkDatabaseHealth, type CheckResult, type DatabaseHealth } from './database-health.ts'
export { NotSoftDeletableError, PaginationInvalidError } from './helpers.errors.ts'
export {
  createPaginatedResponse,
  getPaginationParams,
  type PageParams,
  type PageRequest,
  type PageRules,
  type PaginatedResponse,
  type SortOrder,
} from './pagination.ts'
export {
  AuthService,
  BaseRepository,
  type PageOf,
  PaginatedRepository,
  PermissionRepository,
  RoleRepository,
  UserRepository,
} from './repositories.ts'
export { restore, type SoftDeletable, softDelete, withSoftDelete } from './soft-delete.ts'
export { withRetry } from './with-retry.ts'
