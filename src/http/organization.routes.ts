import { Organization } from '../domain/organizations/index.ts'
import type { App } from './app.ts'
import { organizationParams } from './fields.ts'
import { inTenant } from './in-tenant.ts'
import { organizationAnswer, organizationView } from './views.ts'

export function organizationRoutes(app: App): void {
  app.get('/organizations/:organization', { schema: { params: organizationParams, response: { 200: organizationAnswer } } }, request =>
    inTenant(request, 'organization:read', async ({ em, organization }) =>
      organizationView(await em.findOneOrFail(Organization, organization.id)),
    ),
  )
}
