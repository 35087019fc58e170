/**
 * Organizations: the tenant itself. Who belongs to it, and what they may do, is the business of access. Its data is kept in one region for
 * good, and a process that serves another one refuses to work with it.
 */
export {
  type DataRegion,
  dataRegions,
  Organization,
  OrganizationSchema,
  type OrganizationStatus,
  organizationStatuses,
  type PlanType,
  planTypes,
} from './organization.entity.ts'
export { OrganizationNotServedError, SlugInvalidError, SlugTakenError, WrongRegionError } from './organization.errors.ts'
export { organizationsOf } from './organizations-of.ts'
export { assertServedHere } from './served-here.ts'
