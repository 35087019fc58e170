import type { App } from '../app.ts'
import { hostOf } from '../host-state.ts'
import type { Known } from './read.ts'
import { describe, type Resource } from './resource.ts'
import { ResourceRoutes } from './routes.ts'

export function registerResources(app: App, resources: readonly Resource[]): void {
  const metadata = hostOf(app).database.orm.getMetadata()
  const described = resources.map(each => describe(each, metadata))
  const known: Known = new Map(described.map(each => [each.entity, each]))
  for (const each of described) new ResourceRoutes(app, each, known).register()
}
