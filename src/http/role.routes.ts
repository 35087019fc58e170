import { LockMode } from '@mikro-orm/core'
import { Type } from 'typebox'
import { createRole, deleteRole, Role, updateRole } from '../domain/access/index.ts'
import type { ScopedEntityManager } from '../orm/index.ts'
import type { App } from './app.ts'
import { exactly, nameField, nothing, nullable, organizationParams, permissionField, withinOrganization } from './fields.ts'
import { ResourceNotFoundError } from './http.errors.ts'
import { inTenant } from './in-tenant.ts'
import { afterCursor, page, pageOf, pageOptions, pageQuery } from './pages.ts'
import { idempotencyHeaders, respond } from './respond.ts'
import { roleAnswer, roleView } from './views.ts'

const keyField = () => Type.String({ minLength: 1, maxLength: 63, pattern: '^[A-Z][A-Z0-9_]*$' })
const descriptionField = () => Type.String({ maxLength: 1000 })
const permissionsField = () => Type.Array(permissionField(), { maxItems: 1000, uniqueItems: true })

const newRole = exactly({
  key: keyField(),
  name: nameField(),
  description: Type.Optional(descriptionField()),
  parent: Type.Optional(keyField()),
  permissions: Type.Optional(permissionsField()),
})
const roleChanges = exactly({
  name: Type.Optional(nameField()),
  description: Type.Optional(nullable(descriptionField())),
  parent: Type.Optional(nullable(keyField())),
  permissions: Type.Optional(permissionsField()),
  version: Type.Optional(Type.Integer({ minimum: 1 })),
})
export function roleRoutes(app: App): void {
  app.get(
    '/organizations/:organization/roles',
    { schema: { params: organizationParams, querystring: pageQuery, response: { 200: pageOf(roleAnswer) } } },
    request =>
      inTenant(request, 'role:read', async ({ em }) => {
        const options = { ...pageOptions(request.query), populate: ['permissions.permission'] } as const
        return page(await em.find(Role, afterCursor(request.query), options), request.query, roleView)
      }),
  )

  app.post(
    '/organizations/:organization/roles',
    { schema: { params: organizationParams, headers: idempotencyHeaders, body: newRole, response: { 201: roleAnswer } } },
    async (request, reply) =>
      respond(request, reply, 'role:create', async ({ em }) => {
        const { body } = request
        if (body.parent !== undefined) await requireRole(em, { key: body.parent })
        return { status: 201, body: roleView(await written(em, await createRole(em, body))) }
      }),
  )

  app.get('/organizations/:organization/roles/:id', { schema: { params: withinOrganization, response: { 200: roleAnswer } } }, request =>
    inTenant(request, 'role:read', async ({ em }) => roleView(await written(em, await requireRole(em, { id: request.params.id })))),
  )

  app.patch(
    '/organizations/:organization/roles/:id',
    { schema: { params: withinOrganization, body: roleChanges, response: { 200: roleAnswer } } },
    request =>
      inTenant(request, 'role:update', async ({ em }) => {
        const role = await requireRole(em, { id: request.params.id })
        const { version, ...changes } = request.body
        if (version !== undefined) await em.lock(role, LockMode.OPTIMISTIC, version)
        if (changes.parent) await requireRole(em, { key: changes.parent })
        await updateRole(em, role, changes)
        await em.flush()
        return roleView(await written(em, role))
      }),
  )

  app.delete(
    '/organizations/:organization/roles/:id',
    { schema: { params: withinOrganization, response: { 204: nothing() } } },
    async (request, reply) => {
      await inTenant(request, 'role:delete', async ({ em }) => deleteRole(em, await requireRole(em, { id: request.params.id })))
      return reply.code(204).send()
    },
  )
}

async function requireRole(em: ScopedEntityManager, where: { id: string } | { key: string }): Promise<Role> {
  const role = await em.findOne(Role, where)
  if (!role) throw new ResourceNotFoundError('role')
  return role
}

/** The role as it stands in the database now, with what it holds. */
function written(em: ScopedEntityManager, { id }: Role): Promise<Role> {
  return em.findOneOrFail(Role, id, { populate: ['permissions.permission'], refresh: true })
}
