import { IsolationLevel } from '@mikro-orm/core'
import type { FastifyRequest } from 'fastify'
import { resolveScope, tenantContext } from '../context/index.ts'
import { apiKeyAllows, assertCan, can, Membership, PermissionDeniedError, type PermissionKey } from '../domain/access/index.ts'
import type { Tools } from '../domain/agents/index.ts'
import type { User } from '../domain/identity/index.ts'
import { assertServedHere, Organization, OrganizationNotServedError } from '../domain/organizations/index.ts'
import { isId } from '../kernel/id.ts'
import type { ScopedEntityManager, TransactOptions } from '../orm/index.ts'
import { actorOf, type Principal } from './authentication.ts'
import { CredentialRequiredError, NoActiveOrganizationError, ResourceNotFoundError } from './http.errors.ts'
import { storyOf } from './request-story.ts'

/** One request's unit of work: everything through `em` commits together, and `afterCommit` runs only if it did. */
export interface Work {
  readonly em: ScopedEntityManager
  readonly organization: Organization
  /** Whoever asks, as `em` knows them; a program is nobody. */
  readonly user?: User
  /** Whether whoever asks has a permission. */
  readonly may: (permission: string) => Promise<boolean>
  /** What agents' tools do here. */
  readonly tools: Tools
  readonly afterCommit: (effect: () => void) => void
}

/** The work of a route under /organizations/:organization, for people and programs that have the permission. */
export async function inTenant<A>(
  request: FastifyRequest,
  permission: PermissionKey,
  handle: (work: Work) => Promise<A>,
  options?: TransactOptions,
): Promise<A> {
  const principal = principalIn(request)
  return transactIn(
    request,
    principal,
    tenantAsked(request, principal),
    async work => {
      await requirePermission(work, principal, permission)
      return handle(work)
    },
    options,
  )
}

/** One transaction in a tenant for whoever sent the request. Who isn't an active member learns nothing about the tenant, not even that it exists. */
export function transactIn<A>(
  request: FastifyRequest,
  principal: Principal,
  tenant: string,
  handle: (work: Work) => Promise<A>,
  options: TransactOptions = isRead(request) ? snapshot : {},
): Promise<A> {
  const scope = { tenant, actor: actorOf(principal), ...storyOf(request.id, request.headers) }
  return tenantContext.run(resolveScope(scope), async () => {
    let effects: (() => void)[] = []
    const answer = await request.server.daybook.database.transact(
      scope,
      async em => {
        effects = [] // the transaction may be tried again
        const entered = await enter(em, principal, tenant, request.server.daybook.database.region)
        request.organizationLocale = entered.organization.defaultLocale
        const may = (wanted: string) => hasPermission(em, principal, wanted)
        const { tools } = request.server.daybook
        return handle({ em, ...entered, may, tools, afterCommit: effect => void effects.push(effect) })
      },
      options,
    )
    for (const effect of effects) effect()
    return answer
  })
}

function principalIn({ principal }: FastifyRequest): Principal {
  if (!principal) throw new CredentialRequiredError()
  return principal
}

async function enter(
  em: ScopedEntityManager,
  principal: Principal,
  tenant: string,
  region: string | undefined,
): Promise<Pick<Work, 'organization' | 'user'>> {
  const user = principal.kind === 'person' ? await activeMember(em, principal.user.id) : undefined
  const organization = await em.findOne(Organization, tenant)
  if (!organization || organization.deletedAt) throw new ResourceNotFoundError('organization')
  assertServedHere(organization, region)
  if (!organization.isServed()) throw new OrganizationNotServedError(organization.status)
  return { organization, ...(user && { user }) }
}

async function activeMember(em: ScopedEntityManager, user: string): Promise<User> {
  const membership = await em.findOne(Membership, { user, status: 'ACTIVE' }, { populate: ['user'] })
  if (!membership) throw new ResourceNotFoundError('organization')
  return membership.user.$
}

async function requirePermission({ em, user }: Work, principal: Principal, permission: PermissionKey): Promise<void> {
  if (user) await assertCan(em, user, permission)
  else if (principal.kind === 'program' && !apiKeyAllows(principal.apiKey, permission)) {
    throw new PermissionDeniedError(permission, 'the API key doesn’t have it')
  }
}

function hasPermission(em: ScopedEntityManager, principal: Principal, permission: string): Promise<boolean> {
  return principal.kind === 'person'
    ? can(em, principal.user.id, permission)
    : Promise.resolve(apiKeyAllows(principal.apiKey, permission as PermissionKey))
}

function tenantAsked({ params }: FastifyRequest, principal: Principal): string {
  const { organization } = params as { organization: string }
  const own = principal.kind === 'program' ? principal.tenantId : principal.session.activeTenantId
  if (organization === 'current') {
    if (!own) throw new NoActiveOrganizationError()
    return own
  }
  const foreign = principal.kind === 'program' && organization.toLowerCase() !== own
  if (foreign || !isId(organization)) throw new ResourceNotFoundError('organization')
  return organization.toLowerCase()
}

/** A read sees one snapshot, however many statements it takes. */
const snapshot: TransactOptions = { readOnly: true, isolation: IsolationLevel.REPEATABLE_READ }

const isRead = ({ method }: FastifyRequest) => method === 'GET' || method === 'HEAD'
