import type { EntityClass, EntityData, EntityMetadata } from '@mikro-orm/core'
import { type ScopeInput, systemActor, userActor } from '../context/index.ts'
import { Organization, User } from '../entities.ts'
import { runDeterministically } from '../kernel/determinism.ts'
import { newId } from '../kernel/id.ts'
import { type Daybook, declarationOf, isTenantOwned, type Row } from '../orm/index.ts'
import type { Examples } from './examples.ts'
import { admit, dataFor, personFor, type RowData } from './row-data.ts'

export interface FactoryOptions {
  /** The same seed makes the same rows, ids and times included, in another database. */
  readonly seed?: string | number
  /** Values for entities of your own, where a check constraint asks for more than metadata tells. */
  readonly examples?: Examples
}

/** Makes rows that are valid, with nothing spelled but what matters. What a row needs beside it is made too. */
export interface Factory {
  readonly make: <T extends Row>(entity: EntityClass<T>, overrides?: EntityData<T>) => Promise<T>
  readonly makeMany: <T extends Row>(entity: EntityClass<T>, count: number, overrides?: EntityData<T>) => Promise<T[]>
}

const startsAt = Date.UTC(2026, 0, 5, 8)

/** For one tenant. People that it makes are the tenant's members; the one row of `Organization` that it can make is the tenant itself. */
export function factory(daybook: Daybook, tenant: string, { seed = 0, examples = {} }: FactoryOptions = {}): Factory {
  let [made, rows] = [0, 0]
  const make: Factory['make'] = (entity, overrides = {}) => {
    const nth = ++made
    // A second for each, so that moments that must differ do.
    return runDeterministically(`daybook:factory:${seed}:${tenant}:${nth}`, new Date(startsAt + nth * 1_000), () =>
      makeOne(daybook, tenant, entity, overrides as RowData, { examples, nextRow: () => ++rows }),
    )
  }
  return {
    make,
    async makeMany(entity, count, overrides) {
      const all = []
      for (let n = 0; n < count; n++) all.push(await make(entity, overrides))
      return all
    },
  }
}

async function makeOne<T extends Row>(
  daybook: Daybook,
  tenant: string,
  entity: EntityClass<T>,
  overrides: RowData & { readonly id?: string },
  how: { readonly examples: Examples; readonly nextRow: () => number },
): Promise<T> {
  const meta = daybook.orm.getMetadata().get(entity) as EntityMetadata
  const data = { id: newId(), ...ownData(meta, tenant), ...overrides }
  const { id } = data
  const person = meta.class === User ? id : personFor(meta, overrides)
  const scope = scopeFor(meta, tenant, person, data)
  const row = await daybook.transact(scope, async em => {
    em.create(entity, (await dataFor(em, meta, { person, ...how }, data)) as never)
    await em.flush()
    if (isTenantOwned(meta)) await admit(em, person)
    em.clear()
    return em.findOneOrFail(entity, { id } as never, { filters: { live: false } })
  })
  if (!isTenantOwned(meta)) await daybook.transact({ tenant, actor: userActor(person) }, em => admit(em, person))
  return row
}

/** What an entity needs to know of its tenant that isn't its `tenantId`. */
function ownData(meta: EntityMetadata, tenant: string): RowData {
  if (declarationOf(meta.class)?.access === 'read') throw new TypeError(`${meta.className} is a catalogue: it is filled by migrations.`)
  if (declarationOf(meta.class)?.madeByMigration) throw new TypeError(`${meta.className} is written by the log alone: change something.`)
  if (meta.class === Organization) return { id: tenant, slug: `organization-${newId()}` }
  if (meta.className === 'JobRun') return { tenantId: tenant }
  return meta.className === 'VerificationToken' ? { identifier: `${newId()}@example.com` } : {}
}

/** In which scope the policies let such a row be written and read. */
function scopeFor(meta: EntityMetadata, tenant: string, person: string, { identifier }: RowData): ScopeInput {
  if (isTenantOwned(meta) || meta.class === Organization) return { tenant, actor: userActor(person) }
  if (meta.className === 'JobRun') return { kind: 'operator', actor: systemActor('factory'), reason: 'rows for a test' }
  const claim = typeof identifier === 'string' ? { claim: { email: identifier } } : {}
  return { kind: 'identity', actor: userActor(person), ...claim }
}
