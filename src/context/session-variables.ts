import type { Scope } from './scope.ts'

/**
 * The contract between a scope and the database: policies, guards and the log read these, and so may any other client that sets them
 * for its transaction. They are set locally to a transaction, which is what makes a pooler in transaction mode safe.
 */
export function sessionVariables(scope: Scope): Record<string, string> {
  const variables: Record<string, string> = {
    'daybook.scope': scope.kind,
    ...policyVariables(scope),
    'daybook.actor_type': scope.actor.type,
    'daybook.actor_id': scope.actor.id,
  }
  if (scope.requestId) variables['daybook.request_id'] = scope.requestId
  if (scope.correlationId) variables['daybook.correlation_id'] = scope.correlationId
  if (scope.causationId) variables['daybook.causation_id'] = scope.causationId
  if (scope.reason) variables['daybook.reason'] = scope.reason
  return variables
}

/** Those that decide what is seen. Whoever only looks leaves nothing for the log to tell. */
export function policyVariables(scope: Scope): Record<string, string> {
  // No policy asks whether it is a tenant's: the tenant says so.
  const variables: Record<string, string> = scope.kind === 'tenant' ? {} : { 'daybook.scope': scope.kind }
  // A separate variable, because policies compare it with uuid columns and a system actor's id is a name.
  if (scope.actor.type === 'user') variables['daybook.user_id'] = scope.actor.id
  if (scope.kind === 'tenant') variables['daybook.tenant_id'] = scope.tenantId
  if (scope.kind === 'identity' && scope.claim?.email) variables['daybook.claim_email'] = scope.claim.email
  if (scope.kind === 'identity' && scope.claim?.digest) variables['daybook.claim_digest'] = scope.claim.digest
  return variables
}
