import { type Daybook } from 'daybook'
import { action, daybookRequests, inTenant, resource } from 'daybook/fastify'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { inspect, Inspection, Vehicle } from './vehicle.entity.ts'

const inspection = Type.Object(
  { passed: Type.Boolean(), notes: Type.String({ minLength: 1, maxLength: 4_000 }) },
  { additionalProperties: false },
)

/** One line each: lists, filters, changes, history, the past, and their description follow from the entities. */
export const resources = [
  resource(Vehicle, {
    write: ['plate', 'model'],
    inputs: { plate: Type.String({ pattern: '^[A-Z0-9][A-Z0-9 -]{0,14}$' }), model: Type.String({ minLength: 1, maxLength: 200 }) },
    remove: false,
    actions: {
      inspect: action('update', inspection, ({ em }, vehicle: Vehicle, { passed, notes }) => inspect(em, vehicle, passed, notes)),
      sell: action('update', (_work, vehicle: Vehicle) => vehicle.sell()),
    },
  }),
  resource(Inspection),
]

/** A route like those that an application has anyway, in the tenant and with the permissions of whoever asks. */
export async function overview(app: FastifyInstance, { daybook }: { readonly daybook: Daybook }): Promise<void> {
  await app.register(daybookRequests, { daybook })
  app.get('/fleet/overview', request =>
    inTenant(request, 'vehicle:read', async ({ em }) => ({
      onTheRoad: await em.count(Vehicle, { status: 'IN_SERVICE' }),
      grounded: await em.count(Vehicle, { status: 'GROUNDED' }),
      neverInspected: await em.count(Vehicle, { status: { $ne: 'SOLD' }, inspectedAt: null }),
    })),
  )
}
