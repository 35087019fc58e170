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
import { catalogue, type Resource } from './resources/index.ts'
import { roleRoutes } from './role.routes.ts'
import { signInRoutes } from './sign-in.routes.ts'

type Routes = (app: App, options: PluginOptions) => void

/** The routes that no entity's metadata gives, by area. */
const routes: Partial<Record<Area, readonly Routes[]>> = {
  health: [(app, { readinessCacheMs }) => healthRoutes(app, readinessCacheMs)],
  identity: [signInRoutes, passwordRoutes, meRoutes],
  access: [organizationRoutes, memberRoutes, invitationRoutes, roleRoutes, permissionRoutes, apiKeyRoutes],
  log: [eventRoutes, ledgerRoutes],
}

export const areas = [...new Set([...Object.keys(routes), ...Object.keys(catalogue)])] as Area[]

export function registerRoutes(app: App, options: PluginOptions): void {
  for (const area of options.areas ?? areas) for (const register of routes[area] ?? []) register(app, options)
}

/** Those of the areas, and the application's own. */
export function resourcesOf({ areas: served = areas, resources = [] }: PluginOptions): Resource[] {
  const byArea: Readonly<Partial<Record<Area, readonly Resource[]>>> = catalogue
  return [...served.flatMap(area => byArea[area] ?? []), ...resources]
}
