import type { FastifyRequest } from 'fastify'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Static, Type } from 'typebox'
import { AuditEvent, DecisionLog } from '../audit/index.ts'
import { PermissionDeniedError, type PermissionKey } from '../domain/access/index.ts'
import { OrganizationNotServedError } from '../domain/organizations/index.ts'
import { endOfLog, feed, type FeedFilter, type FollowedEvent, openEvents, pendingDecisions, Tail } from '../readers/index.ts'
import type { App } from './app.ts'
import { requireSession, sessionHolds } from './authentication.ts'
import { csvLine, eventColumns } from './csv.ts'
import { exactly, idField, idPattern, nullable, oneOf, organizationParams, withinOrganization, textAnswer } from './fields.ts'
import { hostOf } from './host-state.ts'
import { CredentialRefusedError, ResourceNotFoundError } from './http.errors.ts'
import { inTenant, type Work } from './in-tenant.ts'
import { decisionAnswer, decisionView, eventAnswer, eventView } from './event-view.ts'
import { knownOf } from './request-state.ts'
import { momentField } from './resources/fields.ts'

const filters = {
  actor: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  actorType: Type.Optional(oneOf(['user', 'api_key', 'agent', 'system', 'database'])),
  entity: Type.Optional(Type.String({ pattern: '^[a-z][a-z0-9-]*$', maxLength: 100 })),
  entityId: Type.Optional(idField()),
  type: Type.Optional(Type.String({ pattern: '^[a-z][a-z0-9-]*\\.[a-z][a-z0-9-]*$', maxLength: 200 })),
  kind: Type.Optional(oneOf(['activity', 'decision'])),
  since: Type.Optional(momentField()),
  until: Type.Optional(momentField()),
  correlationId: Type.Optional(idField()),
  requestId: Type.Optional(idField()),
  decisionId: Type.Optional(idField()),
}
const feedQuery = exactly({
  ...filters,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
  before: Type.Optional(idField()),
})
const exportQuery = exactly({ ...filters, format: Type.Optional(oneOf(['ndjson', 'csv'])) })
const exportAnswer = { content: { ...textAnswer('application/x-ndjson').content, ...textAnswer('text/csv').content } }
const liveAnswer = textAnswer('text/event-stream')
/** By the specification, nothing in it is the same as none. */
const lastHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      pattern: `^(${idPattern})?$`,
      description: 'The id of the last event that was heard; what came behind it is told first.',
    }),
  ),
})
const pageAnswer = exactly({ items: Type.Array(eventAnswer), next: nullable(Type.String()) })

/** The log of an organization: read page by page, taken along as a whole, and listened to. */
export function eventRoutes(app: App): void {
  const base = '/organizations/:organization'

  app.get(
    `${base}/events`,
    { schema: { summary: 'list events', params: organizationParams, querystring: feedQuery, response: { 200: pageAnswer } } },
    request => inTenant(request, 'audit-event:read', work => page(work, request.query)),
  )

  app.get(`${base}/events/:id`, { schema: { summary: 'get event', params: withinOrganization, response: { 200: eventAnswer } } }, request =>
    inTenant(request, 'audit-event:read', async work => {
      const event = await eventWith(work, request.params.id)
      await openEvents(work.em, [event])
      return eventView(event)
    }),
  )

  app.get(
    `${base}/events/export`,
    { schema: { summary: 'export events', params: organizationParams, querystring: exportQuery, response: { 200: exportAnswer } } },
    async (request, reply) => {
      const { format = 'ndjson' } = request.query
      await inTenant(request, 'audit-event:export', () => Promise.resolve())
      reply.type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson')
      reply.header('content-disposition', `attachment; filename="events.${format}"`)
      return reply.send(Readable.from(exported(request, request.query, format)))
    },
  )

  app.get(
    `${base}/events/live`,
    { schema: { summary: 'listen to events', params: organizationParams, headers: lastHeaders, response: { 200: liveAnswer } } },
    async (request, reply) => {
      const last = request.headers['last-event-id']
      const begin = async (work: Work) => ({
        tenant: work.organization.id,
        start: await (last ? eventWith(work, last).then(({ seq }) => seq) : endOfLog(work.em)),
      })
      const { tenant, start } = await inTenant(request, 'audit-event:read', begin, { readOnly: false })
      const leave = hostOf(app).listeners.enter(tenant)
      reply.type('text/event-stream').header('x-accel-buffering', 'no')
      return reply.send(Readable.from(told(request, new Tail(start)), { objectMode: false }).once('close', leave))
    },
  )

  app.get(
    `${base}/decisions`,
    {
      schema: {
        summary: 'list decisions',
        params: organizationParams,
        querystring: exactly({ pending: Type.Optional(Type.Boolean()), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })) }),
        response: { 200: exactly({ items: Type.Array(decisionAnswer) }) },
      },
    },
    request =>
      inTenant(request, 'audit-event:read', async ({ em }) => {
        const { pending = false, limit = 50 } = request.query
        const found = pending
          ? await pendingDecisions(em, { limit })
          : await openEvents(em, await em.find(DecisionLog, {}, { orderBy: { seq: 'desc' }, limit, disableIdentityMap: true }))
        return { items: found.map(decisionView) }
      }),
  )
}

async function eventWith({ em, organization }: Work, id: string): Promise<AuditEvent> {
  const event = await em.findOne(AuditEvent, { id: id.toLowerCase(), tenantId: organization.id }, { disableIdentityMap: true })
  if (!event) throw new ResourceNotFoundError('event')
  return event
}

async function page(work: Work, { limit = 50, before, ...query }: Static<typeof feedQuery>) {
  const beforeSeq = before === undefined ? undefined : (await eventWith(work, before)).seq
  const { items } = await feed(work.em, filterIn(query), { limit: limit + 1, ...(beforeSeq !== undefined && { beforeSeq }) })
  const shown = items.slice(0, limit)
  return { items: shown.map(eventView), next: items.length > limit ? shown.at(-1)!.id : null }
}

function filterIn({ actor, actorType, since, until, ...query }: Partial<Static<typeof exportQuery>>): FeedFilter {
  const { entity, entityId, type, kind, correlationId, requestId, decisionId } = query
  return {
    ...(entity && { entityName: entity }),
    ...(entityId && { entityId: entityId.toLowerCase() }),
    ...(type && { type }),
    ...(kind && { kind }),
    ...(correlationId && { correlationId }),
    ...(requestId && { requestId }),
    ...(decisionId && { decisionId }),
    ...((actor || actorType) && { actor: { ...(actor && { id: actor }), ...(actorType && { type: actorType }) } }),
    ...(since && { since: new Date(since) }),
    ...(until && { until: new Date(until) }),
  }
}

/**
 * Page by page, each in a transaction of its own and with session and permission looked at anew, so memory stays flat however long the log
 * is. Whoever loses either is left with an answer that breaks off, and so doesn't take it for the whole.
 */
async function* exported(request: FastifyRequest, query: Partial<Static<typeof exportQuery>>, format: 'ndjson' | 'csv') {
  knownOf(request).isAnswering = true
  if (format === 'csv') yield csvLine(eventColumns)
  let cursor: string | undefined
  do {
    await requireSession(request)
    const found = await inTenant(request, 'audit-event:export', ({ em }) =>
      feed(em, filterIn(query), { limit: 500, ...(cursor !== undefined && { cursor }) }),
    )
    for (const event of found.items) {
      const view = eventView(event)
      yield format === 'csv' ? csvLine(eventColumns.map(column => view[column])) : `${JSON.stringify(view)}\n`
    }
    cursor = found.cursor
  } while (cursor !== undefined)
}

const pollMs = 500
const heartbeatMs = 15_000

/** Server-sent events, each under its id, so that whoever comes back goes on behind the last that they have seen. */
async function* told(request: FastifyRequest, tail: Tail): AsyncGenerator<string> {
  knownOf(request).isAnswering = true
  yield ': listening\n\n'
  const permission: PermissionKey = 'audit-event:read'
  let quietSince = performance.now()
  while (!request.raw.destroyed && !hostOf(request.server).closing.aborted) {
    const events = await tail
      .next(work => inTenant(request, permission, ({ em }) => work(em), { readOnly: false, unlogged: true }))
      .catch(endOfAccess)
    const isSpeaking = (events?.length ?? 0) > 0 || performance.now() - quietSince > heartbeatMs
    // A session is looked at whenever something is said, so nobody whose session is over stays among the listeners of a quiet organization.
    if (!events || (isSpeaking && !(await sessionHolds(request)))) return
    for (const event of events) yield lineOf(event)
    if (isSpeaking) {
      if (events.length === 0) yield ': still here\n\n'
      quietSince = performance.now()
    }
    if (events.length === 0) await sleep(pollMs, undefined, { signal: hostOf(request.server).closing }).catch(() => undefined)
  }
}

const endings = [CredentialRefusedError, PermissionDeniedError, ResourceNotFoundError, OrganizationNotServedError]

/** Whoever may listen no longer is let go; the answer has long begun, so there is nobody to refuse. */
function endOfAccess(error: unknown): undefined {
  if (endings.some(ending => error instanceof ending)) return
  throw error
}

function lineOf(event: FollowedEvent): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(eventView(event))}\n\n`
}
