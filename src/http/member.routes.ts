import { LockMode } from '@mikro-orm/core'
import { type Static, Type } from 'typebox'
import { changeRole, Membership, reactivateMember, removeMember, Role, suspendMember } from '../domain/access/index.ts'
import type { ScopedEntityManager } from '../orm/index.ts'
import type { App } from './app.ts'
import { exactly, idField, nothing, oneOf, organizationParams, withinOrganization } from './fields.ts'
import { ResourceNotFoundError } from './http.errors.ts'
import { inTenant } from './in-tenant.ts'
import { afterCursor, page, pageOf, pageOptions, pageQuery } from './pages.ts'
import { memberAnswer, memberView } from './views.ts'

const memberChanges = exactly({
  role: Type.Optional(idField()),
  status: Type.Optional(oneOf(['ACTIVE', 'SUSPENDED'])),
  /** The version that was read; a change that somebody else made since is not overwritten. */
  version: Type.Optional(Type.Integer({ minimum: 1 })),
})

export function memberRoutes(app: App): void {
  app.get(
    '/organizations/:organization/members',
    { schema: { params: organizationParams, querystring: pageQuery, response: { 200: pageOf(memberAnswer) } } },
    request =>
      inTenant(request, 'membership:read', async ({ em }) => {
        const where = { status: { $ne: 'LEFT' as const }, ...afterCursor(request.query) }
        const rows = await em.find(Membership, where, { ...pageOptions(request.query), populate: ['user', 'role'] })
        return page(rows, request.query, memberView)
      }),
  )

  app.get(
    '/organizations/:organization/members/:id',
    { schema: { params: withinOrganization, response: { 200: memberAnswer } } },
    request =>
      inTenant(request, 'membership:read', async ({ em }) =>
        memberView(await em.populate(await memberOf(em, request.params.id), ['user', 'role'])),
      ),
  )

  app.patch(
    '/organizations/:organization/members/:id',
    { schema: { params: withinOrganization, body: memberChanges, response: { 200: memberAnswer } } },
    request =>
      inTenant(request, 'membership:update', async ({ em }) => {
        const membership = await memberOf(em, request.params.id)
        await change(em, membership, request.body)
        await em.flush()
        return memberView(await em.populate(membership, ['user', 'role']))
      }),
  )

  app.delete(
    '/organizations/:organization/members/:id',
    { schema: { params: withinOrganization, response: { 204: nothing() } } },
    async (request, reply) => {
      await inTenant(request, 'membership:delete', async ({ em }) => removeMember(em, await memberOf(em, request.params.id)))
      return reply.code(204).send()
    },
  )
}

export async function roleOf(em: ScopedEntityManager, id: string): Promise<Role> {
  const role = await em.findOne(Role, id)
  if (!role) throw new ResourceNotFoundError('role')
  return role
}

/** Somebody who left is no member any more; an invitation brings them back. */
async function memberOf(em: ScopedEntityManager, id: string): Promise<Membership> {
  const membership = await em.findOne(Membership, { id, status: { $ne: 'LEFT' } })
  if (!membership) throw new ResourceNotFoundError('member')
  return membership
}

async function change(em: ScopedEntityManager, membership: Membership, changes: Static<typeof memberChanges>): Promise<void> {
  if (changes.version !== undefined) await em.lock(membership, LockMode.OPTIMISTIC, changes.version)
  if (changes.role !== undefined) await changeRole(em, membership, await roleOf(em, changes.role))
  if (changes.status === 'SUSPENDED') await suspendMember(em, membership)
  if (changes.status === 'ACTIVE') await reactivateMember(em, membership)
}
