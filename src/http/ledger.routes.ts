import { Type } from 'typebox'
import { consistencyProof, headOf, inclusionProof, originOf, Tiles, verifierKey, verifiersOf } from '../ledger/index.ts'
import type { App } from './app.ts'
import { exactly, organizationParams, textAnswer, withinOrganization } from './fields.ts'
import { hostOf } from './host-state.ts'
import { ResourceNotFoundError } from './http.errors.ts'
import { inTenant } from './in-tenant.ts'

const size = () => Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const hash = () => Type.String({ description: 'SHA-256 in base64' })

const inclusionAnswer = exactly({
  leaf: Type.String({ description: 'what was hashed of the event, to the byte' }),
  index: size(),
  size: size(),
  path: Type.Array(hash()),
  checkpoint: Type.String({ description: 'a signed note (C2SP)' }),
})
const consistencyAnswer = exactly({ earlier: size(), earlierRoot: hash(), size: size(), root: hash(), path: Type.Array(hash()) })

/** What proves the log of an organization to somebody who trusts neither the host nor its database. */
export function ledgerRoutes(app: App): void {
  const base = '/organizations/:organization'

  // A leaf has the event's number in the whole log, from which one could tell how much others do: it is for those who take the log along.
  app.get(
    `${base}/events/:id/proof`,
    { schema: { summary: 'prove event', params: withinOrganization, response: { 200: inclusionAnswer } } },
    request => inTenant(request, 'audit-event:export', ({ em }) => inclusionProof(em, request.params.id.toLowerCase())),
  )

  app.get(
    `${base}/ledger/checkpoint`,
    { schema: { summary: 'get newest checkpoint', params: organizationParams, response: { 200: textAnswer('text/plain') } } },
    async (request, reply) => {
      const head = await inTenant(request, 'audit-checkpoint:read', ({ em }) => headOf(em))
      if (!head) throw new ResourceNotFoundError('checkpoint')
      return reply.type('text/plain; charset=utf-8').send(head.note())
    },
  )

  app.get(
    `${base}/ledger/keys`,
    {
      schema: {
        summary: 'list verifier keys',
        params: organizationParams,
        response: { 200: exactly({ keys: Type.Array(Type.String({ description: '<name>+<key id>+<key> (C2SP)' })) }) },
      },
    },
    request =>
      inTenant(request, 'audit-checkpoint:read', async ({ em, organization }) => {
        const origin = (await headOf(em))?.origin ?? originOf(hostOf(request.server).database.installation, organization.id)
        return { keys: (await verifiersOf(em, origin)).map(verifierKey) }
      }),
  )

  app.get(
    `${base}/ledger/consistency`,
    {
      schema: {
        summary: 'prove consistency',
        params: organizationParams,
        querystring: exactly({ earlier: size(), size: size() }),
        response: { 200: consistencyAnswer },
      },
    },
    request => inTenant(request, 'audit-checkpoint:read', ({ em }) => consistencyProof(em, request.query.earlier, request.query.size)),
  )

  app.get(
    `${base}/ledger/tile`,
    {
      schema: {
        summary: 'get tile',
        params: organizationParams,
        querystring: exactly({ level: Type.Integer({ minimum: 0, maximum: 6 }), index: size() }),
        response: { 200: textAnswer('application/octet-stream') },
      },
    },
    async (request, reply) => {
      const { level, index } = request.query
      const tile = await inTenant(request, 'audit-checkpoint:read', ({ em, organization }) =>
        new Tiles(em, organization.id).tile(level, index),
      )
      if (tile.length === 0) throw new ResourceNotFoundError('tile')
      return reply.type('application/octet-stream').send(tile)
    },
  )
}
