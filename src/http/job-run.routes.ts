import { Type } from 'typebox'
import { JobRun, jobStatuses } from '../domain/system/index.ts'
import type { App } from './app.ts'
import { exactly, nullable, oneOf, organizationParams } from './fields.ts'
import { inTenant } from './in-tenant.ts'
import { pageOf, pageQuery } from './pages.ts'
import { instant, instantOrNull } from './views.ts'

const runAnswer = exactly({
  id: Type.String(),
  job: Type.String(),
  status: oneOf([...jobStatuses]),
  startedAt: Type.String({ format: 'date-time' }),
  finishedAt: nullable(Type.String({ format: 'date-time' })),
  processed: Type.Integer(),
  failed: Type.Integer(),
  error: nullable(Type.String()),
})

/** What ran by itself for an organization, the newest first. */
export function jobRunRoutes(app: App): void {
  app.get(
    '/organizations/:organization/job-runs',
    {
      schema: {
        summary: 'list job-run',
        description: 'Needs the permission `system-setting:read`.',
        params: organizationParams,
        querystring: exactly({
          ...pageQuery.properties,
          job: Type.Optional(Type.String({ maxLength: 100 })),
          status: Type.Optional(oneOf([...jobStatuses])),
        }),
        response: { 200: pageOf(runAnswer) },
      },
    },
    request =>
      inTenant(request, 'system-setting:read', async ({ em, organization }) => {
        const { limit = 50, after, ...filter } = request.query
        const where = { tenantId: organization.id, ...filter, ...(after !== undefined && { id: { $lt: after.toLowerCase() } }) }
        const runs = await em.find(JobRun, where, { orderBy: { id: 'desc' }, limit: limit + 1 })
        const items = runs.slice(0, limit)
        return { items: items.map(runView), next: runs.length > limit ? items.at(-1)!.id : null }
      }),
  )
}

function runView({ id, job, status, startedAt, finishedAt, processed, failed, error }: JobRun) {
  return { id, job, status, startedAt: instant(startedAt), finishedAt: instantOrNull(finishedAt), processed, failed, error: error ?? null }
}
