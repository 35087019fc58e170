import type { TSchema } from 'typebox'
import type { TenantRow } from '../../orm/index.ts'
import type { App } from '../app.ts'
import { hostOf } from '../host-state.ts'
import type { Work } from '../in-tenant.ts'
import type { Known } from './read.ts'
import { telling, type Told } from './told.ts'
import { type Described, describe, type Resource } from './resource.ts'
import { ResourceRoutes } from './routes.ts'
import { registerSearch } from './search.ts'

/** How one of a kind is shown, for routes that stand beside those of its resource. */
export interface Shown<T> {
  readonly answer: TSchema
  readonly tell: (work: Work, row: T) => Promise<Told>
}

/** Of an entity, how it is shown here, if it is. */
export type ShownAs = <T extends TenantRow>(entity: new () => T) => Shown<T> | undefined

export function registerResources(app: App, resources: readonly Resource[]): ShownAs {
  const metadata = hostOf(app).database.orm.getMetadata()
  const described = resources.map(each => describe(each, metadata))
  const known: Known = new Map(described.filter(({ options }) => !options.isOnlyPast).map(each => [each.entity, each]))
  for (const each of described) new ResourceRoutes(app, each, known).register()
  registerSearch(app, described, known)
  return entity => {
    const resource = known.get(entity)
    return resource && shownAs(resource, known)
  }
}

function shownAs<T extends TenantRow>(resource: Described, known: Known): Shown<T> {
  return {
    answer: resource.answer,
    tell: async (work, row) => (await telling(work, resource, known))(row),
  }
}
