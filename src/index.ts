export {
  type Actor,
  type ActorType,
  agentActor,
  apiKeyActor,
  type IdentityScope,
  type OperatorScope,
  type Scope,
  ScopeInvalidError,
  type ScopeInput,
  type Story,
  systemActor,
  TenantContextMissingError,
  tenantContext,
  type TenantScope,
  userActor,
} from './context/index.ts'
export { ConfigurationError } from './config.ts'
export * from './entities.ts'
export { DaybookError } from './kernel/error.ts'
export { type OpenOptions, openDaybook } from './open-daybook.ts'
export {
  Daybook,
  type DaybookParts,
  type EntityDeclaration,
  type EntityOptions,
  globalEntity,
  type GlobalEntityOptions,
  type IndexDeclaration,
  isolationProblems,
  moment,
  refuseBrokenIsolation,
  Row,
  ScopedEntityManager,
  type TableAccess,
  tenantEntity,
  type TenantEntityOptions,
  TenantRow,
  type TransactOptions,
} from './orm/index.ts'
