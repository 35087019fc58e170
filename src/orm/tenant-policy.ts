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

/** Its name in the database, which the preflight looks for. */
export const privatePolicyName = 'private'

/**
 * That a row is the person's who asks, or that no person asks: a job, a program and an agent work for everybody whose rows they are given,
 * and an answer in somebody's chat is written by one of them.
 */
export const ownRowSql = (column: string) => `(${currentUserSql} is null or ${column} = ${currentUserSql})`

/** Narrows a tenant's table to the rows of one person, whose property is named. */
export function privatePolicy<T extends object>(property: Extract<keyof T, string>): Omit<PolicyDef<T>, 'type'> {
  const isOwn = (columns: unknown) => ownRowSql((columns as Record<string, string>)[property]!)
  return { name: privatePolicyName, using: isOwn, check: isOwn }
}
