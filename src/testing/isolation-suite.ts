import assert from 'node:assert/strict'
import { type EntityMetadata, UniqueConstraintViolationException } from '@mikro-orm/core'
import { systemActor, TenantContextMissingError } from '../context/index.ts'
import { type Daybook, isTenantOwned, ScopeNeedsTransactionError, tablesOf, TenantMismatchError } from '../orm/index.ts'
import type { Examples } from './examples.ts'
import { createRow } from './factories.ts'
import { type Ground, prepareGround } from './isolation-ground.ts'
import { readCases } from './isolation-reads.ts'
import { referenceCases } from './isolation-references.ts'
import { insertJson, nothingWhereDenied, reachingCases, writeCases } from './isolation-writes.ts'

export interface IsolationCase {
  readonly entity: string
  readonly operation: string
  readonly run: () => Promise<void>
}

/** The tenant entities of a model, by name. */
export function tenantEntities(daybook: Daybook): EntityMetadata[] {
  return tablesOf(daybook.orm.getMetadata())
    .filter(isTenantOwned)
    .toSorted((a, b) => (a.className < b.className ? -1 : 1))
}

/** Every operation of the ORM, of Kysely and of raw SQL on one entity, tried by one tenant against another. */
export async function isolationCases(daybook: Daybook, meta: EntityMetadata, examples: Examples = {}): Promise<IsolationCase[]> {
  const ground = await prepareGround(daybook, meta, examples)
  const all = {
    ...bind(readCases, ground),
    ...bind(writeCases, ground),
    ...referenceCases(ground, examples),
    ...bind(withoutTenant, ground),
    ...besideColleague(ground),
    'a value that is unique in the other tenant': () => uniquesTellNothing(ground, examples),
  }
  return Object.entries(all).map(([operation, run]) => ({ entity: meta.className, operation, run }))
}

/**
 * Tries all of it on all tenant entities of an open database, your own included, and throws one error that names every case that failed.
 * It makes rows: give it a database for tests.
 */
export async function testIsolation(daybook: Daybook, { examples = {} }: { readonly examples?: Examples } = {}): Promise<number> {
  const failures: Error[] = []
  let tried = 0
  for (const meta of tenantEntities(daybook)) {
    for (const { entity, operation, run } of await isolationCases(daybook, meta, examples)) {
      tried++
      await run().catch((cause: unknown) => failures.push(new Error(`${entity}: ${operation}`, { cause })))
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `Isolation failed: ${failures.map(({ message }) => message).join('; ')}`)
  return tried
}

/** Without a tenant nothing is read and nothing is written, and the ORM's own operations say why. */
const withoutTenant: Readonly<Record<string, (ground: Ground) => Promise<void>>> = {
  'find without a scope': async ({ daybook, entity }) => {
    await assert.rejects(() => daybook.orm.em.fork().find(entity as never, {}), TenantContextMissingError)
  },
  'find in an identity scope': async ({ daybook, entity }) => {
    const em = daybook.scope({ kind: 'identity', actor: systemActor('test') })
    await assert.rejects(() => em.find(entity, {}), TenantContextMissingError)
  },
  'count, nativeUpdate and nativeDelete without a scope': async ({ daybook, entity }) => {
    const em = daybook.orm.em.fork()
    await assert.rejects(() => em.count(entity as never), TenantContextMissingError)
    await assert.rejects(() => em.nativeUpdate(entity as never, {}, {}), TenantContextMissingError)
    await assert.rejects(() => em.nativeDelete(entity as never, {}), TenantContextMissingError)
  },
  'create without a scope': async ({ daybook, inside, entity, newData }) => {
    const data = await inside(em => newData(em))
    const em = daybook.orm.em.fork()
    await assert.rejects(async () => {
      em.create(entity as never, data as never)
      await em.flush()
    }, TenantContextMissingError)
  },
  'raw SQL without a scope': async ground => {
    const { daybook, table } = ground
    const row = await ground.newJson()
    const em = daybook.orm.em.fork() as unknown as ReturnType<Ground['em']>
    assert.deepEqual(await em.execute(`select id from ${table}`), [])
    const deleted = em.execute<unknown[]>(`delete from ${table} returning id`).then(({ length }) => length)
    assert.equal(await deleted.catch(nothingWhereDenied(ground)), 0)
    await assert.rejects(() => insertJson(em, table, row), TenantMismatchError)
  },
  'Kysely outside a transaction': async ({ em }) => {
    assert.throws(() => em().getKysely(), ScopeNeedsTransactionError)
  },
}

/** Where rows are private: the same of another person's row in the own tenant, which is there for whoever works for everybody. */
function besideColleague(ground: Ground): Record<string, () => Promise<void>> {
  const { colleague, daybook, own, entity } = ground
  if (!colleague) return {}
  const cases = Object.entries(bind({ ...readCases, ...reachingCases }, { ...ground, other: colleague }))
  return {
    ...Object.fromEntries(cases.map(([name, run]) => [`beside a colleague, ${name}`, run])),
    'a job beside both': async () => {
      const em = daybook.scope({ tenant: own.tenant, actor: systemActor('test') })
      assert.equal(await em.count(entity, { id: { $in: [own.id, colleague.id] } }), 2)
    },
  }
}

/** Writing what is unique in the other tenant works, or else it would tell that the value is taken there. */
async function uniquesTellNothing({ daybook, meta, own, other }: Ground, examples: Examples): Promise<void> {
  const stored = await other.stored()
  const scalars = meta.uniques
    .flatMap(({ properties }) => [properties ?? []].flat())
    .flatMap(name => meta.props.filter(prop => prop.name === name))
    .filter(prop => prop.name !== 'tenantId' && !prop.targetMeta)
  const same = Object.fromEntries(scalars.map(prop => [prop.name, stored[prop.fieldNames[0]!]]))
  try {
    await createRow(daybook, own.tenant, meta, same, examples)
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) assert.fail('a unique constraint told of the other tenant’s row')
    throw error
  }
}

function bind(cases: Readonly<Record<string, (ground: Ground) => Promise<void>>>, ground: Ground): Record<string, () => Promise<void>> {
  return Object.fromEntries(Object.entries(cases).map(([name, run]) => [name, () => run(ground)]))
}
