import { EntitySchema, p } from '@mikro-orm/core'

/**
 * A foreign key to an entity of a room below, which can't be imported from here: the property is the plain id, and its target is known by name
 * once all rooms are loaded. The database holds it like any other relation, with guard and index.
 */
export function pointerTo(entity: string) {
  return p.manyToOne(schemaNamed(entity)).mapToPk()
}

function schemaNamed(name: string): EntitySchema<{ id: string }> {
  const found = [...EntitySchema.REGISTRY.values()].find(({ meta }) => meta.className === name)
  if (!found) throw new TypeError(`No entity is called ${name}, to which another one points. Name it with the model's other entities.`)
  return found as EntitySchema<{ id: string }>
}
