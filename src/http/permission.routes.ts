import { Type } from 'typebox'
import { explain, Permission } from '../domain/access/index.ts'
import type { App } from './app.ts'
import { exactly, idField, organizationParams, permissionField } from './fields.ts'
import { inTenant } from './in-tenant.ts'

const catalogue = exactly({ items: Type.Array(exactly({ key: Type.String(), resource: Type.String(), action: Type.String() })) })
const explainQuery = exactly({ user: idField(), permission: permissionField() })
const explanation = exactly({ allowed: Type.Boolean(), path: Type.Array(Type.String()), because: Type.String() })

export function permissionRoutes(app: App): void {
  app.get('/organizations/:organization/permissions', { schema: { params: organizationParams, response: { 200: catalogue } } }, request =>
    inTenant(request, 'role:read', async ({ em }) => ({
      items: (await em.find(Permission, {}, { orderBy: { key: 'asc' } })).map(({ key, resource, action }) => ({ key, resource, action })),
    })),
  )

  app.get(
    '/organizations/:organization/permissions/explain',
    { schema: { params: organizationParams, querystring: explainQuery, response: { 200: explanation } } },
    request =>
      inTenant(request, 'membership:read', async ({ em }) => {
        const { allowed, path, because } = await explain(em, request.query.user.toLowerCase(), request.query.permission)
        return { allowed, path: [...path], because }
      }),
  )
}
