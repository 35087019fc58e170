import type { PolicyDef } from '@mikro-orm/core'

/** `missing_ok`, and `nullif` because a variable that was set once reads as '' afterwards: without a scope nothing matches. */
export const currentTenantSql = `nullif(current_setting('daybook.tenant_id', true), '')::uuid`
export const currentUserSql = `nullif(current_setting('daybook.user_id', true), '')::uuid`
export const inIdentityScopeSql = `current_setting('daybook.scope', true) = 'identity'`
export const claimedEmailSql = `nullif(current_setting('daybook.claim_email', true), '')`
export const claimedDigestSql = `nullif(current_setting('daybook.claim_digest', true), '')`

/** The one permissive policy of a tenant's table. Permissive policies are or-ed, so a second one could only open it. */
export const tenantPolicy: PolicyDef = {
  name: 'tenant',
  using: `tenant_id = ${currentTenantSql}`,
  check: `tenant_id = ${currentTenantSql}`,
}
