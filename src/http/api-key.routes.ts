import { Type } from 'typebox'
import { ApiKey, apiKeyEnvironments, type IssuedApiKey, issueApiKey, revokeApiKey, rotateApiKey } from '../domain/access/index.ts'
import { now } from '../kernel/clock.ts'
import type { ScopedEntityManager } from '../orm/index.ts'
import type { App } from './app.ts'
import { exactly, nameField, nothing, oneOf, organizationParams, permissionField, withinOrganization } from './fields.ts'
import { RequestInvalidError, ResourceNotFoundError } from './http.errors.ts'
import { inTenant } from './in-tenant.ts'
import { afterCursor, page, pageOf, pageOptions, pageQuery } from './pages.ts'
import { type Answer, idempotencyHeaders, respond } from './respond.ts'
import { apiKeyAnswer, apiKeyView } from './views.ts'

const newKey = exactly({
  name: nameField(),
  environment: oneOf(apiKeyEnvironments),
  scopes: Type.Array(permissionField(), { minItems: 1, maxItems: 200, uniqueItems: true }),
  expiresAt: Type.Optional(Type.String({ format: 'date-time', maxLength: 40 })),
})
/** Only these two answers hold a key, and only this once: whoever repeats the request isn't shown it again. */
const issuedAnswer = exactly({ apiKey: apiKeyAnswer, secret: Type.Optional(Type.String()) })

export function apiKeyRoutes(app: App): void {
  app.get(
    '/organizations/:organization/api-keys',
    { schema: { params: organizationParams, querystring: pageQuery, response: { 200: pageOf(apiKeyAnswer) } } },
    request =>
      inTenant(request, 'api-key:read', async ({ em }) => {
        const rows = await em.find(ApiKey, afterCursor(request.query), pageOptions(request.query))
        return page(rows, request.query, apiKeyView)
      }),
  )

  app.post(
    '/organizations/:organization/api-keys',
    { schema: { params: organizationParams, headers: idempotencyHeaders, body: newKey, response: { 201: issuedAnswer } } },
    async (request, reply) => {
      const { expiresAt, ...input } = request.body
      return respond(request, reply, 'api-key:create', async ({ em }) =>
        issued(em, await issueApiKey(em, { ...input, ...(expiresAt !== undefined && { expiresAt: future(expiresAt) }) })),
      )
    },
  )

  app.get(
    '/organizations/:organization/api-keys/:id',
    { schema: { params: withinOrganization, response: { 200: apiKeyAnswer } } },
    request => inTenant(request, 'api-key:read', async ({ em }) => apiKeyView(await keyOf(em, request.params.id))),
  )

  app.post(
    '/organizations/:organization/api-keys/:id/rotate',
    { schema: { params: withinOrganization, headers: idempotencyHeaders, response: { 201: issuedAnswer } } },
    async (request, reply) =>
      respond(request, reply, 'api-key:create', async ({ em }) => issued(em, await rotateApiKey(em, await keyOf(em, request.params.id)))),
  )

  app.delete(
    '/organizations/:organization/api-keys/:id',
    { schema: { params: withinOrganization, response: { 204: nothing() } } },
    async (request, reply) => {
      await inTenant(request, 'api-key:delete', async ({ em }) => revokeApiKey(em, await keyOf(em, request.params.id)))
      return reply.code(204).send()
    },
  )
}

async function keyOf(em: ScopedEntityManager, id: string): Promise<ApiKey> {
  const key = await em.findOne(ApiKey, id)
  if (!key) throw new ResourceNotFoundError('API key')
  return key
}

async function issued(
  em: ScopedEntityManager,
  { apiKey, secret }: IssuedApiKey,
): Promise<Answer<{ apiKey: ReturnType<typeof apiKeyView> }>> {
  await em.flush()
  return { status: 201, body: { apiKey: apiKeyView(apiKey) }, secrets: { secret } }
}

function future(text: string): Date {
  const at = new Date(text)
  if (!(at > now())) throw new RequestInvalidError([{ pointer: '#/expiresAt', detail: 'must be a moment in the future', in: 'body' }])
  return at
}
