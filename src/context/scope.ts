import { isId } from '../kernel/id.ts'
import { type Actor, actorTypes, idOf } from './actor.ts'
import { ScopeInvalidError } from './context.errors.ts'

/** What a scope may say beyond who acts for whom. All of it travels into the audit log. */
export interface Story {
  readonly requestId?: string
  readonly correlationId?: string
  readonly causationId?: string
  readonly reason?: string
}

/** One tenant, one actor: almost all work. */
export interface TenantScope extends Story {
  readonly kind: 'tenant'
  readonly tenantId: string
  readonly actor: Actor
}

/**
 * Sign-in flows, in which there is no tenant yet. It sees the rows of its own actor, and those rows whose e-mail address or digest
 * the person has presented: a claim opens one row to look at, never a table.
 */
export interface IdentityScope extends Story {
  readonly kind: 'identity'
  readonly actor: Actor
  readonly claim?: { readonly email?: string; readonly digest?: string }
}

/** Platform work across tenants, through another database role, always with a stated reason. */
export interface OperatorScope extends Story {
  readonly kind: 'operator'
  readonly actor: Actor
  readonly reason: string
}

export type Scope = TenantScope | IdentityScope | OperatorScope

/** What callers write: `{ tenant, actor }` is a tenant scope; the other two are named by their kind. */
export type ScopeInput =
  | ({ readonly tenant: string | { readonly id: string }; readonly actor: Actor } & Story)
  | IdentityScope
  | OperatorScope

/** Turns what the caller wrote into a frozen scope, refusing what could not be attributed later. */
export function resolveScope(input: ScopeInput): Scope {
  requireActor(input.actor)
  if (!('kind' in input)) {
    const { tenant, ...rest } = input
    const tenantId = idOf(tenant)
    if (!isId(tenantId)) throw new ScopeInvalidError('tenant', 'the UUID of an organization')
    return Object.freeze({ kind: 'tenant', ...rest, tenantId: tenantId.toLowerCase() })
  }
  if (input.kind === 'operator' && !input.reason?.trim()) {
    throw new ScopeInvalidError('reason', 'a sentence: an operator works across tenants, so the log must say why')
  }
  return Object.freeze({ ...input })
}

function requireActor(actor: Actor | undefined): void {
  if (!actor || !actorTypes.includes(actor.type) || !actor.id) {
    throw new ScopeInvalidError('actor', 'userActor(…), apiKeyActor(…), agentActor(…) or systemActor(…)')
  }
  if (actor.type !== 'system' && !isId(actor.id)) {
    throw new ScopeInvalidError('actor.id', `the UUID of the ${actor.type} that acts`)
  }
}
