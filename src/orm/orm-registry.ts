import type { EntityManager, MikroORM } from '@mikro-orm/core'

const orms = new WeakMap<object, MikroORM>()

/** An ORM extension that does one thing: it lets `ormOf` find the way back from an EntityManager that the ORM hands out. */
export const ormRegistry = {
  name: 'OrmRegistry',
  register(orm: MikroORM): void {
    orms.set(orm.config, orm)
  },
}

export function ormOf(em: EntityManager): MikroORM {
  return orms.get(em.config)!
}
