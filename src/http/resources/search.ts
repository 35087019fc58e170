import { type TSchema, Type } from 'typebox'
import type { App } from '../app.ts'
import { exactly, oneOf, organizationParams } from '../fields.ts'
import { inTenant } from '../in-tenant.ts'
import { type Known, selectionIn, viewWith } from './read.ts'
import { type Described, permissionFor } from './resource.ts'

/** One search over everything that is found by words, of which each person finds what they may read. */
export function registerSearch(app: App, resources: readonly Described[], known: Known): void {
  const searched = resources.filter(({ options }) => options.search)
  if (searched.length === 0) return
  const kinds = searched.map(({ name }) => name)
  const answer: TSchema = exactly({
    items: Type.Array(exactly({ resource: oneOf(kinds), item: Type.Union(searched.map(resource => resource.answer)) })),
  })
  app.get(
    '/organizations/:organization/search',
    {
      schema: {
        summary: 'search everything',
        description: `Needs the permission \`organization:read\`, and finds only what may be read of: ${kinds.join(', ')}.`,
        params: organizationParams,
        querystring: exactly({
          words: Type.String({ minLength: 1, maxLength: 500 }),
          of: Type.Optional(oneOf(kinds)),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 50 })),
        }),
        response: { 200: answer },
      },
      serializerCompiler: () => value => JSON.stringify(value),
    },
    request =>
      inTenant(request, 'organization:read', async work => {
        const { words, of, limit = 10 } = request.query
        const items: object[] = []
        for (const resource of searched.filter(({ name }) => of === undefined || name === of)) {
          if (!(await work.may(permissionFor(resource, 'read')))) continue
          const selection = await selectionIn(resource, {}, known, work.may)
          const rows = await resource.options.search!(work, words, limit)
          items.push(...rows.map(row => ({ resource: resource.name, item: viewWith(row, selection) })))
        }
        return { items }
      }),
  )
}
