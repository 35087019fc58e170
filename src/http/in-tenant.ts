import { IsolationLevel } from '@mikro-orm/core'
import type { FastifyRequest } from 'fastify'
import { resolveScope, tenantContext } from '../context/index.ts'
import {
  type ApiKey,
  apiKeyAllows,
  assertCan,
  can,
  Membership,
  PermissionDeniedError,
  type PermissionKey,
  usableApiKey,
} from '../domain/access/index.ts'
import type { Tools } from '../domain/agents/index.ts'
import type { User } from '../domain/identity/index.ts'
import { assertServedHere, Organization, OrganizationNotServedError } from '../domain/organizations/index.ts'
import { isId } from '../kernel/id.ts'
import type { ScopedEntityManager, TransactOptions } from '../orm/index.ts'
import { actorOf, type Principal, type Program } from './principal.ts'
import { abandonedSignal } from './client-signal.ts'
import { hostOf } from './host-state.ts'
import { knownOf } from './request-state.ts'
import { CredentialRefusedError, CredentialRequiredError, NoActiveOrganizationError, ResourceNotFoundError } from './http.errors.ts'
import { storyOf } from './request-story.ts'

/** One request's unit of work: everything through `em` commits together, and `afterCommit` runs only if it did. */
export interface Work {
  readonly em: ScopedEntityManager
  readonly organization: Organization
  /** Whoever asks, as `em` knows them; a program is nobody. */
  readonly user?: User
  /** The program's key, if it is one that asks. */
  readonly apiKey?: ApiKey
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
      await requirePermission(work, permission)
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
  const { database, recentKeys, throttle, tools } = hostOf(request.server)
  const scope = { tenant, actor: actorOf(principal), ...storyOf(request.id, request.headers) }
  return tenantContext.run(resolveScope(scope), async () => {
    // Whose key it is, is certain; a person may have named any tenant, and who isn't a member neither counts there nor learns of it.
    if (principal.kind === 'program') await throttle?.countTenant(request, tenant)
    let effects: (() => void)[] = []
    const answer = await database.transact(
      scope,
      async em => {
        effects = [] // the transaction may be tried again
        const entered = await enter(em, principal, tenant, database.region).catch((error: unknown) => {
          if (error instanceof CredentialRefusedError && principal.kind === 'program') recentKeys.forget(principal.key)
          throw error
        })
        await throttle?.countTenant(request, tenant)
        knownOf(request).organizationLocale = entered.organization.defaultLocale
        const may = (wanted: string) => hasPermission(em, entered, wanted)
        return handle({ em, ...entered, may, tools, afterCommit: effect => void effects.push(effect) })
      },
      { ...options, ...abandonedSignal(request) },
    )
    for (const effect of effects) effect()
    return answer
  })
}

function principalIn(request: FastifyRequest): Principal {
  hostOf(request.server) // A route that isn't below one is told so, before it is asked for a credential.
  const { principal } = knownOf(request)
  if (!principal) throw new CredentialRequiredError()
  return principal
}

async function enter(
  em: ScopedEntityManager,
  principal: Principal,
  tenant: string,
  region: string | undefined,
): Promise<Pick<Work, 'organization' | 'user' | 'apiKey'>> {
  const user = principal.kind === 'person' ? await activeMember(em, principal.user.id) : undefined
  const apiKey = principal.kind === 'program' ? await stillUsable(em, principal, region) : undefined
  const organization = await em.findOne(Organization, tenant)
  if (!organization || organization.deletedAt) throw new ResourceNotFoundError('organization')
  assertServedHere(organization, region)
  if (!organization.isServed()) throw new OrganizationNotServedError(organization.status)
  return { organization, ...(user && { user }), ...(apiKey && { apiKey }) }
}

async function stillUsable(em: ScopedEntityManager, { key }: Program, region: string | undefined): Promise<ApiKey> {
  const apiKey = await usableApiKey(em, key, region)
  if (!apiKey) throw new CredentialRefusedError()
  return apiKey
}

async function activeMember(em: ScopedEntityManager, user: string): Promise<User> {
  const membership = await em.findOne(Membership, { user, status: 'ACTIVE' }, { populate: ['user'] })
  if (!membership) throw new ResourceNotFoundError('organization')
  return membership.user.$
}

async function requirePermission({ em, user, apiKey }: Work, permission: PermissionKey): Promise<void> {
  if (user) await assertCan(em, user, permission)
  else if (!apiKey || !apiKeyAllows(apiKey, permission)) {
    throw new PermissionDeniedError(permission, 'the API key doesn’t have it')
  }
}

async function hasPermission(
  em: ScopedEntityManager,
  { user, apiKey }: Pick<Work, 'user' | 'apiKey'>,
  permission: string,
): Promise<boolean> {
  return user ? can(em, user.id, permission) : apiKey !== undefined && apiKeyAllows(apiKey, permission)
}

function tenantAsked({ params }: FastifyRequest, principal: Principal): string {
  // A route of an application's own needn't say which.
  const { organization = 'current' } = params as { organization?: string }
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
