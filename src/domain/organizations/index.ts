/** Organizations: the tenant itself. Who belongs to it, and what they may do, is the business of access. */
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
export { OrganizationNotServedError, SlugInvalidError, SlugTakenError } from './organization.errors.ts'
export { organizationsOf } from './organizations-of.ts'
export { assertSlug, slugBeside, slugOf } from './slug.ts'
