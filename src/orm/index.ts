export type { Question, StoredRow } from './ask.ts'
export { type TenantInput, withAtHand, workAtHand } from './at-hand.ts'
export { explainConnectionFailure } from './connection-failure.ts'
export {
  Daybook,
  type DaybookParts,
  defaultLimits,
  runUnlogged,
  snapshot,
  type TransactionLimits,
  type Transact,
  type TransactOptions,
} from './daybook.ts'
export {
  childAuditOf,
  declareEntity,
  declarationOf,
  type PastShape,
  type EntityDeclaration,
  isTenantOwned,
  privateColumnOf,
  type TableAccess,
} from './declaration.ts'
export { tablesOf } from './discovery.ts'
export { translateDriverError } from './driver-errors.ts'
export type { FlushAwareEventManager, LastSubscriber } from './flush-aware-event-manager.ts'
export { type EmbeddedDatabase, openEmbeddedDatabase } from './embedded-database.ts'
export { migrationState } from './migration-state.ts'
export { transactionReports, type TransactionReport } from './observed.ts'
export * from './orm.errors.ts'
export { embeddedOptions, type Entity, type Model, serverOptions } from './orm-options.ts'
export { ownsPivot, placeOf } from './pivot.ts'
export { pointerTo } from './pointer.ts'
export { isolationProblems, refuseBrokenIsolation, truncateGuard } from './preflight.ts'
export { appRole, operatorRole, ownerRole, prepareRoles, type RolePasswords, type RunSql } from './roles.ts'
export { moment, Row, TenantRow } from './row.ts'
export { refusal, refused, rowTrigger, statementTrigger } from './row-trigger.ts'
export { allLockedAfresh, inTurn, lockedAfresh } from './locked-afresh.ts'
export { ScopedEntityManager } from './scoped-entity-manager.ts'
export type { Lens } from './lens.ts'
export {
  type AuditOptions,
  childEntity,
  type EntityOptions,
  globalEntity,
  type GlobalEntityOptions,
  type IndexDeclaration,
  tenantEntity,
  type TenantEntityOptions,
} from './tenant-entity.ts'
export { wholly } from './wholly.ts'
export { isConflict, isLockRefused, isLostConnection } from './transient.ts'
export { TransactionClient } from './transaction-client.ts'
export {
  claimedDigestSql,
  claimedEmailSql,
  currentTenantSql,
  currentUserSql,
  inIdentityScopeSql,
  ownRowSql,
  privatePolicyName,
} from './tenant-policy.ts'
export { type Ahead, literal, type Outbox, type Statement, type Unsent, outsideUnitSql, unsentOf } from './unsent.ts'
