import { Type } from 'typebox'
import { type GrantPath, getUserPermissions, Membership, removeMember } from '../domain/access/index.ts'
import { activateTenant } from '../domain/identity/index.ts'
import { Organization, organizationsOf } from '../domain/organizations/index.ts'
import { isServedHere } from '../domain/organizations/internal.ts'
import type { App } from './app.ts'
import { exactly, idField, nothing, nullable } from './fields.ts'
import { hostOf } from './host-state.ts'
import { transactIn } from './in-tenant.ts'
import { personIn } from './person.ts'
import { organizationAnswer, organizationView, ownUserAnswer, ownUserView } from './views.ts'

const permission = exactly({ key: Type.String(), path: Type.Array(Type.String()) })
const meAnswer = exactly({
  user: ownUserAnswer,
  organizations: Type.Array(organizationAnswer),
  activeOrganization: nullable(Type.String()),
  permissions: Type.Array(permission),
})

export function meRoutes(app: App): void {
  const { database } = hostOf(app)

  app.get('/me', { schema: { response: { 200: meAnswer } } }, async request => {
    const person = personIn(request)
    const organizations = await organizationsOf(database, person.user.id)
    // The membership may have ended since the organization was chosen.
    const active = organizations.find(
      organization =>
        organization.id === person.session.activeTenantId && organization.isServed() && isServedHere(organization, database.region),
    )
    const permissions = active ? await transactIn(request, person, active.id, ({ em }) => getUserPermissions(em, person.user)) : []
    return {
      user: ownUserView(person.user),
      organizations: organizations.map(organizationView),
      activeOrganization: active?.id ?? null,
      permissions: permissions.map(permissionView),
    }
  })

  app.post(
    '/me/organization',
    { schema: { body: exactly({ organization: idField() }), response: { 200: exactly({ organization: organizationAnswer }) } } },
    async request => {
      const person = personIn(request)
      const tenant = request.body.organization.toLowerCase()
      const organization = await transactIn(request, person, tenant, async ({ em }) =>
        organizationView(await em.findOneOrFail(Organization, tenant)),
      )
      await activateTenant(database, person.session, tenant)
      return { organization }
    },
  )

  /** Leaving needs nobody's permission. */
  app.delete(
    '/me/organizations/:id',
    { schema: { params: exactly({ id: idField() }), response: { 204: nothing() } } },
    async (request, reply) => {
      const person = personIn(request)
      await transactIn(request, person, request.params.id.toLowerCase(), async ({ em }) => {
        await removeMember(em, await em.findOneOrFail(Membership, { user: person.user.id }))
      })
      return reply.code(204).send()
    },
  )
}

const permissionView = ({ key, path }: GrantPath) => ({ key, path: [...path] })
