import { LockMode } from '@mikro-orm/core'
import { Type } from 'typebox'
import {
  acceptInvitation,
  cancelInvitation,
  Invitation,
  invitationStatuses,
  inviteMember,
  rejectInvitation,
} from '../domain/access/index.ts'
import type { ScopedEntityManager } from '../orm/index.ts'
import type { App } from './app.ts'
import type { Person, Principal } from './principal.ts'
import {
  emailField,
  exactly,
  idField,
  nameField,
  nothing,
  oneOf,
  organizationParams,
  passwordField,
  tokenField,
  withinOrganization,
} from './fields.ts'
import { hostOf } from './host-state.ts'
import { knownOf } from './request-state.ts'
import { CredentialRequiredError, PersonRequiredError, RequestInvalidError, ResourceNotFoundError } from './http.errors.ts'
import { inTenant } from './in-tenant.ts'
import { invitationMail } from './mails.ts'
import { roleOf } from './member.routes.ts'
import { afterCursor, page, pageOf, pageOptions, pageQuery } from './pages.ts'
import { guessable } from './rate-limits.ts'
import { idempotencyHeaders, respond } from './respond.ts'
import { invitationAnswer, invitationView, ownUserAnswer, ownUserView } from './views.ts'

const listQuery = exactly({ ...pageQuery.properties, status: Type.Optional(oneOf(invitationStatuses)) })
const newInvitation = exactly({ email: emailField(), role: idField() })
const acceptBody = exactly({ token: tokenField(), password: Type.Optional(passwordField()), name: Type.Optional(nameField()) })
const acceptAnswer = exactly({ user: ownUserAnswer, organization: Type.String() })

export function invitationRoutes(app: App): void {
  const { database, outbox } = hostOf(app)

  app.get(
    '/organizations/:organization/invitations',
    { schema: { params: organizationParams, querystring: listQuery, response: { 200: pageOf(invitationAnswer) } } },
    request =>
      inTenant(request, 'invitation:read', async ({ em }) => {
        const { query } = request
        const where = { ...(query.status !== undefined && { status: query.status }), ...afterCursor(query) }
        return page(await em.find(Invitation, where, { ...pageOptions(query), populate: ['role'] }), query, invitationView)
      }),
  )

  app.post(
    '/organizations/:organization/invitations',
    {
      config: guessable,
      schema: { params: organizationParams, headers: idempotencyHeaders, body: newInvitation, response: { 201: invitationAnswer } },
    },
    async (request, reply) =>
      respond(request, reply, 'invitation:create', async ({ em, organization, afterCommit }) => {
        const role = await roleOf(em, request.body.role)
        const { invitation, token } = await inviteMember(em, { email: request.body.email, role })
        const mail = invitationMail(invitation.email, organization, token)
        afterCommit(() => outbox.send(mail))
        return () => ({ status: 201, body: invitationView(invitation) })
      }),
  )

  app.get(
    '/organizations/:organization/invitations/:id',
    { schema: { params: withinOrganization, response: { 200: invitationAnswer } } },
    request =>
      inTenant(request, 'invitation:read', async ({ em }) =>
        invitationView(await em.populate(await invitationOf(em, request.params.id), ['role'])),
      ),
  )

  app.delete(
    '/organizations/:organization/invitations/:id',
    { schema: { params: withinOrganization, response: { 204: nothing() } } },
    async (request, reply) => {
      await inTenant(request, 'invitation:delete', async ({ em }) => cancelInvitation(await untouchedInvitation(em, request.params.id)))
      return reply.code(204).send()
    },
  )

  /** Somebody signed in joins as themself; somebody new brings a password. */
  app.post(
    '/invitations/accept',
    { config: { access: 'optional', ...guessable }, schema: { body: acceptBody, response: { 200: acceptAnswer } } },
    async request => {
      const { body } = request
      const accepted = await acceptInvitation(database, { token: body.token, ...joiner(knownOf(request).principal, body) })
      return { user: ownUserView(accepted.user), organization: accepted.tenantId }
    },
  )

  app.post(
    '/invitations/reject',
    { config: { access: 'public', ...guessable }, schema: { body: exactly({ token: tokenField() }), response: { 204: nothing() } } },
    async ({ body }, reply) => {
      await rejectInvitation(database, body.token)
      return reply.code(204).send()
    },
  )
}

async function invitationOf(em: ScopedEntityManager, id: string): Promise<Invitation> {
  const invitation = await em.findOne(Invitation, id)
  if (!invitation) throw new ResourceNotFoundError('invitation')
  return invitation
}

/** It may be being accepted just now, and then it can't be withdrawn. */
async function untouchedInvitation(em: ScopedEntityManager, id: string): Promise<Invitation> {
  const invitation = await em.findOne(Invitation, id, { lockMode: LockMode.PESSIMISTIC_WRITE })
  if (!invitation) throw new ResourceNotFoundError('invitation')
  return invitation
}

interface Joining {
  readonly password?: string
  readonly name?: string
}

function joiner(principal: Principal | undefined, { password, name }: Joining): { userId: string } | { password: string; name?: string } {
  if (principal) return { userId: personOf(principal, password).user.id }
  if (password === undefined) throw new CredentialRequiredError()
  return { password, ...(name !== undefined && { name }) }
}

function personOf(principal: Principal, password: string | undefined): Person {
  if (principal.kind !== 'person') throw new PersonRequiredError()
  if (password !== undefined) {
    throw new RequestInvalidError([{ pointer: '#/password', detail: 'is for somebody new, and you are signed in', in: 'body' }])
  }
  return principal
}
