import type { EntityClass, FilterQuery } from '@mikro-orm/core'
import { entityNameOf } from '../../src/audit/index.ts'
import { canonicalJson } from '../../src/kernel/canonical-json.ts'
import { runDeterministically } from '../../src/kernel/determinism.ts'
import { newId } from '../../src/kernel/id.ts'
import type { ScopedEntityManager, TenantRow } from '../../src/orm/index.ts'
import type { Outcome } from '../seed-report.ts'

/** Before anything that people do in a demo. */
export const seedTime = new Date('2026-01-05T08:00:00Z')

/** Each thing has a course of its own, so that what was kept doesn't shift the ids of what is made. */
export function course<T>(thing: string, work: () => Promise<T>): Promise<T> {
  return runDeterministically(`daybook:demo:${thing}`, seedTime, work)
}

/** Says in the statement who asks: names and titles have no index, for nobody else looks things up by them. */
export const bySeeder = { comments: ['seeder'] }

/** No service makes so many rows before the one that it is asked for. */
const firstIds = 8

/** One transaction of the demo, in one organization, and what it found and made there. */
export class DemoUnit {
  readonly em: ScopedEntityManager
  readonly rows: Record<Exclude<Outcome, 'skipped'>, Map<string, number>> = { created: new Map(), kept: new Map() }
  readonly #organization: string

  constructor(em: ScopedEntityManager, organization: string) {
    this.em = em
    this.#organization = organization
  }

  /**
   * The row that has these natural keys, made if there is none. Somebody may have renamed or deleted it since, so it is known by its id too:
   * what people do to the demo stays done. `brings` counts the rows that come along with it, by entity.
   */
  async ensure<T extends TenantRow>(
    entity: EntityClass<T>,
    key: FilterQuery<T> & object,
    make: () => T | Promise<T>,
    brings: Readonly<Record<string, number>> = {},
  ): Promise<T> {
    const thing = `${this.#organization}:${entity.name}:${canonicalJson(key)}`
    const ids = await course(thing, () => Promise.resolve(Array.from({ length: firstIds }, newId)))
    const either = { $or: [key, { id: { $in: ids } }] } as unknown as FilterQuery<T>
    const known = await this.em.findOne(entity, either, { ...bySeeder, filters: { live: false } })
    for (const [name, rows] of Object.entries({ [entity.name]: 1, ...brings })) this.#count(known ? 'kept' : 'created', name, rows)
    if (known) return known
    return course(thing, async () => {
      const made = await make()
      await this.em.flush()
      return made
    })
  }

  #count(outcome: 'created' | 'kept', entity: string, rows: number): void {
    const name = entityNameOf(entity)
    this.rows[outcome].set(name, (this.rows[outcome].get(name) ?? 0) + rows)
  }
}
