import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { documentFileRoutes } from './document-file.routes.ts'
import { jobRunRoutes } from './job-run.routes.ts'
import { newsletterLinkRoutes, newsletterRoutes } from './newsletter.routes.ts'
import { acceptStream, acceptText } from './raw-body.ts'
import { stripeRoutes, triggerRoutes } from './webhook.routes.ts'
import { apiKeyRoutes } from './api-key.routes.ts'
import type { App } from './app.ts'
import { eventRoutes } from './event.routes.ts'
import { healthRoutes } from './health.routes.ts'
import { invitationRoutes } from './invitation.routes.ts'
import { ledgerRoutes } from './ledger.routes.ts'
import { meRoutes } from './me.routes.ts'
import { memberRoutes } from './member.routes.ts'
import type { Area, PluginOptions } from './options.ts'
import { organizationRoutes } from './organization.routes.ts'
import { passwordRoutes } from './password.routes.ts'
import { permissionRoutes } from './permission.routes.ts'
import { catalogue, type Resource, type ShownAs } from './resources/index.ts'
import { roleRoutes } from './role.routes.ts'
import { signInRoutes } from './sign-in.routes.ts'

type Routes = (app: App, options: PluginOptions, shown: ShownAs) => void

/** The routes that no entity's metadata gives, by area. */
const routes: Partial<Record<Area, readonly Routes[]>> = {
  health: [(app, { readinessCacheMs }) => healthRoutes(app, readinessCacheMs)],
  identity: [signInRoutes, passwordRoutes, meRoutes],
  access: [organizationRoutes, memberRoutes, invitationRoutes, roleRoutes, permissionRoutes, apiKeyRoutes],
  log: [eventRoutes, ledgerRoutes],
  automation: [reading(acceptText, triggerRoutes)],
  billing: [reading(acceptText, stripeRoutes)],
  commerce: [newsletterRoutes, reading(acceptText, newsletterLinkRoutes)],
  documents: [reading(acceptStream, documentFileRoutes)],
  system: [jobRunRoutes],
}

export const areas = [...new Set([...Object.keys(routes), ...Object.keys(catalogue)])] as Area[]

export function registerRoutes(app: App, options: PluginOptions, shown: ShownAs): void {
  for (const area of options.areas ?? areas) for (const register of routes[area] ?? []) register(app, options, shown)
}

/** Routes whose bodies are something else than JSON, in a context of their own. */
function reading(accept: (app: FastifyInstance) => void, register: Routes): Routes {
  return (app, options, shown) =>
    void app.register(async inner => {
      accept(inner)
      register(inner.withTypeProvider<TypeBoxTypeProvider>(), options, shown)
    })
}

/** Those of the areas, and the application's own. */
export function resourcesOf({ areas: served = areas, resources = [] }: PluginOptions): Resource[] {
  const byArea: Readonly<Partial<Record<Area, readonly Resource[]>>> = catalogue
  return [...served.flatMap(area => byArea[area] ?? []), ...resources]
}
