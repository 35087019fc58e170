import type { FastifyRequest } from 'fastify'
import { resolveScope, tenantContext } from '../context/index.ts'
import { can, PermissionDeniedError, type PermissionKey } from '../domain/access/index.ts'
import { type Admission, admissionIn, admit, type Entrant, isNoLongerAdmitted, stillAdmitted } from '../domain/access/internal.ts'
import type { Tools } from '../domain/agents/index.ts'
import { isId } from '../kernel/id.ts'
import { type Question, type ScopedEntityManager, snapshot, type StoredRow, type TransactOptions } from '../orm/index.ts'
import { actorOf, type Principal, type Program } from './principal.ts'
import { abandonedSignal } from './client-signal.ts'
import { hostOf } from './host-state.ts'
import { knownOf } from './request-state.ts'
import { CredentialRefusedError, CredentialRequiredError, NoActiveOrganizationError, ResourceNotFoundError } from './http.errors.ts'
import { storyOf } from './request-story.ts'

/** One request's unit of work: everything through `em` commits together, and `afterCommit` runs only if it did. */
export interface Work {
  readonly em: ScopedEntityManager
  readonly organization: Admission['organization']
  /** Whoever asks; a program is nobody. */
  readonly user?: { readonly id: string }
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
  return transactIn(request, principal, tenantAsked(request, principal), handle, { permission, ...(options && { options }) })
}

/**
 * The same for work that begins with a question to the database, and does nothing before it is answered. A program that had the permission
 * not long ago needn't ask first: whether it still has goes along with that question, and if not it is as if nothing had been begun.
 */
export async function atOnceInTenant<A>(
  request: FastifyRequest,
  permission: PermissionKey,
  handle: (work: Work) => Promise<A>,
): Promise<A> {
  const principal = principalIn(request)
  const tenant = tenantAsked(request, principal)
  const recent = recentAdmission(request, principal, permission)
  if (recent) {
    const done = await unlessChanged(request, recent, first =>
      transactIn(request, principal, tenant, handle, { permission, options: { ...optionsFor(request), first }, recent: recent.admission }),
    )
    if (done) return done.answer
  }
  return transactIn(request, principal, tenant, handle, { permission })
}

interface Admitting {
  readonly permission?: PermissionKey
  readonly options?: TransactOptions
  /** An admission that the transaction makes sure of. */
  readonly recent?: Admission
}

/** One transaction in a tenant for whoever sent the request. Who isn't an active member learns nothing of it, not even that it exists. */
export function transactIn<A>(
  request: FastifyRequest,
  principal: Principal,
  tenant: string,
  handle: (work: Work) => Promise<A>,
  { permission, options = optionsFor(request), recent }: Admitting = {},
): Promise<A> {
  const { database, throttle, tools, shares } = hostOf(request.server)
  const scope = scopeOf(request, principal, tenant)
  // Whoever writes is told what has become of it where they may read it, so both are asked about at once.
  const permissions = permission ? [...new Set([permission, `${permission.split(':', 1)[0]!}:read`])] : []
  return tenantContext.run(resolveScope(scope), async () => {
    await countProgram(request, principal, tenant)
    let effects: (() => void)[] = []
    const holder = shares?.holderOf(principal, tenant)
    const transact = () =>
      database.transact(
        scope,
        async em => {
          effects = [] // the transaction may be tried again
          const admission =
            recent ?? entered(request, principal, tenant, await admit(em, entrantOf(principal), tenant, permissions, database.region))
          if (holder && principal.kind === 'person') shares!.admitted(holder, principal.user.id, tenant)
          await throttle?.countTenant(request, tenant)
          if (permission) requirePermission(admission, permission)
          const { organization, user } = admission
          const may = async (wanted: string) => admission.verdictOn(wanted)?.allowed ?? (user ? await can(em, user, wanted) : false)
          return handle({ em, organization, ...(user && { user }), may, tools, afterCommit: effect => void effects.push(effect) })
        },
        { ...options, ...abandonedSignal(request) },
      )
    const answer = await (holder ? shares!.during(request, holder, transact) : transact())
    for (const effect of effects) effect()
    return answer
  })
}

/** For what comes without a credential, to a tenant or to sign up: it leaves to those who are in what is theirs. */
export function fromOutside<A>(request: FastifyRequest, where: string, work: () => Promise<A>): Promise<A> {
  const { shares } = hostOf(request.server)
  return shares ? shares.during(request, { name: `outside ${where}` }, work) : work()
}

/** As much of it as a look at stored rows needs. */
export type Looking = Pick<Work, 'em' | 'user' | 'may'> & { readonly organization: Pick<Work['organization'], 'id'> }

/** What a look at stored rows asks, and what it makes of the answer. */
export interface Look<A> {
  readonly question: Question
  readonly show: (rows: readonly StoredRow[]) => A
}

/**
 * A read that needs no unit of work: one question, whose answer is shown as it is stored. A program that had the permission not long ago is
 * shown it at once, if it still has. Of everybody else it is found out before the question is asked, so that nobody learns from the time it
 * takes.
 */
export async function lookInTenant<A>(
  request: FastifyRequest,
  permission: PermissionKey,
  look: (work: Looking) => Promise<Look<A>>,
): Promise<A> {
  const principal = principalIn(request)
  const tenant = tenantAsked(request, principal)
  const recent = recentAdmission(request, principal, permission)
  if (recent) {
    const seen = await unlessChanged(request, recent, first => seenAtOnce(request, principal, tenant, recent.admission, first, look))
    if (seen) return seen.answer
  }
  return inTenant(request, permission, async work => {
    const { question, show } = await look(work)
    return show(await work.em.execute<StoredRow[]>(question.sql, [...question.params]))
  })
}

async function seenAtOnce<A>(
  request: FastifyRequest,
  principal: Principal,
  tenant: string,
  { organization, verdictOn }: Admission,
  first: Question,
  look: (work: Looking) => Promise<Look<A>>,
): Promise<A> {
  const { database, shares } = hostOf(request.server)
  const scope = scopeOf(request, principal, tenant)
  await countProgram(request, principal, tenant)
  const { question, show } = await look({
    // Most questions have been put into words before, and need none.
    get em() {
      return database.scope(scope)
    },
    organization,
    may: async wanted => verdictOn(wanted)!.allowed,
  })
  const ask = () => database.ask(scope, [first, question], abandonedSignal(request))
  const [, rows = []] = await (shares ? shares.during(request, shares.holderOf(principal, tenant), ask) : ask())
  return show(rows)
}

interface Recent {
  readonly principal: Program
  readonly admission: Admission
}

/** What a program was let in for not long ago, if that has the permission and still would be let in as far as the clock can tell. */
function recentAdmission(request: FastifyRequest, principal: Principal, permission: PermissionKey): Recent | undefined {
  if (principal.kind !== 'program') return undefined
  const { region } = hostOf(request.server).database
  const admission = admissionIn([{ admitted: principal.found }], entrantOf(principal), [], region)
  if (!admission?.verdictOn(permission)!.allowed) return undefined
  entered(request, principal, principal.tenantId, admission)
  return { principal, admission }
}

/** Nothing when key, scopes or organization have changed in the meantime, so that what was begun in good faith was not done. */
async function unlessChanged<A>(
  request: FastifyRequest,
  { principal, admission }: Recent,
  work: (first: Question) => Promise<A>,
): Promise<{ readonly answer: A } | undefined> {
  try {
    return { answer: await work(stillAdmitted(admission)) }
  } catch (error) {
    if (!isNoLongerAdmitted(error)) throw error
    hostOf(request.server).recentKeys.forget(principal.key)
    return undefined
  }
}

function principalIn(request: FastifyRequest): Principal {
  hostOf(request.server) // A route that isn't below one is told so, before it is asked for a credential.
  const { principal } = knownOf(request)
  if (!principal) throw new CredentialRequiredError()
  return principal
}

function scopeOf(request: FastifyRequest, principal: Principal, tenant: string) {
  return { tenant, actor: actorOf(principal), ...storyOf(request.id, request.headers) }
}

function entrantOf(principal: Principal): Entrant {
  return principal.kind === 'person' ? { user: principal.user.id } : { key: principal.key }
}

/** Whose key it is, is certain; a person may have named any tenant, and who isn't a member neither counts there nor learns of it. */
async function countProgram(request: FastifyRequest, principal: Principal, tenant: string): Promise<void> {
  if (principal.kind === 'program') await hostOf(request.server).throttle?.countTenant(request, tenant)
}

function entered(request: FastifyRequest, principal: Principal, tenant: string, admission: Admission | undefined): Admission {
  if (admission) {
    knownOf(request).organizationLocale = admission.organization.defaultLocale
    return admission
  }
  const { shares, recentKeys } = hostOf(request.server)
  if (principal.kind === 'person') {
    shares?.refused(principal.user.id, tenant)
    throw new ResourceNotFoundError('organization')
  }
  recentKeys.forget(principal.key)
  throw new CredentialRefusedError()
}

function requirePermission({ verdictOn }: Admission, permission: PermissionKey): void {
  // It is one of those that were asked about.
  const { allowed, because } = verdictOn(permission)!
  if (!allowed) throw new PermissionDeniedError(permission, because)
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

const optionsFor = ({ method }: FastifyRequest): TransactOptions => (method === 'GET' || method === 'HEAD' ? snapshot : {})
